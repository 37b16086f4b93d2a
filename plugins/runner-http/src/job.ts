import type { Attempt, Outcome, RunnerNode } from '@gantry/plugin-kit/runner';
import { printAnswer, type Answer } from './answer.ts';
import { ask } from './ask.ts';
import { mayBeRepeated } from './call.ts';
import { withCallback } from './callback-address.ts';
import { listenerOf } from './callback-listener.ts';
import { CallbackWait } from './callback-wait.ts';
import type { HttpConfig } from './config.ts';
import { failure, failureOf, notBegun, unknownOutcome, type Failed } from './failure.ts';
import type { Followed } from './followed.ts';
import type { CancelConfig, PollConfig } from './job-config.ts';
import type { Following, JobHandle } from './job-handle.ts';
import { jobUrl, type JobUrl } from './job-url.ts';
import { outputsOf, type Outputs } from './outputs.ts';
import { Poller } from './poller.ts';
import { prepared, preparedForJob, targetOf, type Prepared } from './request.ts';
import { retryAfterMs } from './retry-after.ts';
import { rulesOf, type NodeRules } from './settings.ts';
import { callOptions, NO_KEY } from './task-call.ts';

/** A cancel call that is not answered within this is given up, if the task says nothing. */
const CANCEL_MS = 30_000;

/**
 * An attempt whose request only begins the work: it is submitted once, followed to its end, also by a later agent, and
 * cancelled when the attempt ends first.
 */
export class Job {
  readonly #attempt: Attempt<HttpConfig, JobHandle>;
  readonly #node: RunnerNode;
  readonly #rules: NodeRules;

  /** Throws BadSettings. */
  constructor(attempt: Attempt<HttpConfig, JobHandle>, node: RunnerNode) {
    this.#attempt = attempt;
    this.#node = node;
    this.#rules = rulesOf(node);
  }

  /** Submits the job and follows it. Throws what `failureOf` understands. */
  async run(): Promise<Outcome> {
    const { config, stop } = this.#attempt;
    if (stop.aborted) return notBegun('nothing was submitted');
    const until = config.callback === undefined ? null : Math.ceil((Date.now() + config.callback.timeout) / 1_000);
    return this.#waiting(until, 'APPLICATION', async (wait) => {
      const request = this.#request(wait);
      await this.#attempt.checkpoint({ phase: 'SUBMITTING', until });
      if (stop.aborted) return notBegun('nothing was submitted');
      return this.#submit(request, wait);
    });
  }

  /** Follows what an agent before has begun, and submits nothing that may be there already. Throws as `run` does. */
  async resume(handle: JobHandle): Promise<Outcome> {
    if (handle.phase === 'CALLED') return this.#joined(handle.outcome as unknown as Outcome, handle.outputs);
    return this.#waiting(handle.until, 'UNKNOWN', (wait) => {
      if (handle.phase === 'FOLLOWING') {
        wait?.submitted(handle.outputs);
        return this.#follow(handle, wait, 0);
      }
      const request = this.#request(wait);
      if (mayBeRepeated(request.method, this.#options())) return this.#submit(request, wait);
      return this.#unknown(wait);
    });
  }

  /**
   * @param until When a callback expires, seconds since 1970; null for a job that is polled.
   * @param kindWithout Of the failure where nobody can call back.
   */
  async #waiting(
    until: number | null,
    kindWithout: Failed['kind'],
    follow: (wait: CallbackWait | null) => Promise<Outcome>,
  ): Promise<Outcome> {
    const { callback } = this.#attempt.config;
    if (until === null || callback === undefined) return follow(null);
    const listener = listenerOf(this.#node);
    if (listener === null) {
      const remedy =
        'Its operator says where: runners.http.callback. Nodes that have it bear runner.http.callbacks=on.';
      return { ...failure('CALLBACKS_OFF', 'Nobody can call this node back.', remedy), kind: kindWithout };
    }
    const wait = new CallbackWait(this.#attempt, callback, listener, until);
    try {
      await wait.begin();
      return await follow(wait);
    } finally {
      wait.end();
    }
  }

  async #submit(request: Prepared, wait: CallbackWait | null): Promise<Outcome> {
    const { config, stop, kill } = this.#attempt;
    if (!stop.aborted) this.#attempt.started();
    // Who wants a job cancelled needs the answer that names it.
    const ended = await ask(request, this.#options(), config.cancel === undefined ? stop : kill);
    if (ended.ok === null) {
      const why = stopped('whether the job was begun is not known');
      return ended.isUnknown ? unknownOutcome(why) : why;
    }
    if (!ended.ok) return wait?.isCalled ? this.#called(wait) : ended.failure;
    const { answer } = ended;
    printAnswer(answer, this.#attempt.stdout);
    const begun = outputsOf(config, answer, 'request');
    const cancel = this.#cancelUrl(answer);
    try {
      if (!begun.ok) return await this.#leave(cancel, begun);
      const { outputs } = begun;
      const poll = config.poll === undefined ? null : jobUrl(config.poll.url, answer, 'poll.url').href;
      const handle: Following = { phase: 'FOLLOWING', poll, cancel, outputs, until: wait?.expiresAt ?? null };
      wait?.submitted(outputs);
      // A call that has overtaken the answer is what must be found again, and is kept already.
      if (!wait?.isCalled) await this.#attempt.checkpoint(handle);
      return await this.#follow(handle, wait, Math.max(config.poll?.interval ?? 0, retryAfterMs(answer, Date.now())));
    } catch (error) {
      return this.#leave(cancel, failureOf(error));
    }
  }

  async #follow(handle: Following, wait: CallbackWait | null, firstMs: number): Promise<Outcome> {
    const followed = await this.#followed(handle, wait, firstMs);
    return followed.isJobOver
      ? this.#joined(followed.outcome, handle.outputs)
      : this.#leave(handle.cancel, followed.why);
  }

  async #followed(handle: Following, wait: CallbackWait | null, firstMs: number): Promise<Followed> {
    const { poll } = this.#attempt.config;
    try {
      if (wait !== null) return await wait.follow();
      if (poll === undefined || handle.poll === null) return { isJobOver: false, why: unreadable() };
      const request = this.#prepared(handle.poll, poll.url, poll);
      return await new Poller(this.#attempt, poll, request, this.#rules).follow(firstMs);
    } catch (error) {
      return { isJobOver: false, why: failureOf(error) };
    }
  }

  /** The agent before ended while it submitted. A job that was begun will call back; otherwise nobody can tell. */
  async #unknown(wait: CallbackWait | null): Promise<Outcome> {
    if (wait !== null) return this.#called(wait);
    const message = 'The agent ended while the job was submitted: nobody knows whether it was begun.';
    const remedy = 'Look for it by hand. If the service heeds Idempotency-Key, say idempotencyKey: true.';
    return { ok: false, kind: 'UNKNOWN', reason: { code: 'SUBMISSION_UNKNOWN', message, remedy } };
  }

  /** The call is all that is known of the job. */
  async #called(wait: CallbackWait): Promise<Outcome> {
    const followed = await wait.follow();
    return followed.isJobOver ? this.#joined(followed.outcome, null) : this.#leave(null, followed.why);
  }

  /** @param begun What the answer to the request has told; null when that answer was lost. */
  #joined(outcome: Outcome, begun: Outputs | null): Outcome {
    if (!outcome.ok) return outcome;
    if (begun !== null) return { ok: true, outputs: { ...begun, ...outcome.outputs } };
    const { outputs } = this.#attempt.config;
    const lost = Object.keys(outputs).find((name) => outputs[name]!.from === 'request');
    if (lost === undefined) return outcome;
    const message = `The job has called back, but the answer to its request, which the output ${lost} is of, was lost.`;
    return failure('OUTPUT_MISSING', message);
  }

  /**
   * The attempt ends before its job does. One that goes on, and must not be submitted again, ends nobody knows how.
   *
   * @param why Null when it was stopped.
   */
  async #leave(cancelUrl: string | null, why: Failed | null): Promise<Outcome> {
    const { fate, isOver } = await this.#cancel(cancelUrl);
    const left = why === null ? stopped(fate) : withFate(why, fate);
    const { method } = this.#attempt.config;
    if (!isOver && !mayBeRepeated(method, this.#options())) return { ...left, kind: 'UNKNOWN' };
    // What the node is to blame for was begun all the same.
    return left.kind === 'REJECTED' ? { ...left, kind: 'INFRASTRUCTURE' } : left;
  }

  /** @returns What has become of the job, and whether that is its end. */
  async #cancel(url: string | null): Promise<{ readonly fate: string; readonly isOver: boolean }> {
    const { cancel } = this.#attempt.config;
    const goesOn = (fate: string) => ({ fate, isOver: false });
    if (cancel === undefined) return goesOn('the job was left to itself: there is no cancel');
    if (url === null) return goesOn('the job could not be cancelled: the answer does not tell the URL for it');
    try {
      const request = this.#prepared(url, cancel.url, cancel);
      const options = { ...this.#options(), ...NO_KEY, expect: cancel.expect };
      const timeoutMs = options.timeoutMs ?? CANCEL_MS;
      const ended = await ask(request, { ...options, timeoutMs }, this.#attempt.kill);
      if (ended.ok === null)
        return goesOn('whether the job was cancelled is not known: there was no time for the answer');
      if (ended.ok) return { fate: 'the job was cancelled', isOver: true };
      return goesOn(`the job could not be cancelled: ${ended.failure.reason.message}`);
    } catch (error) {
      return goesOn(`the job could not be cancelled: ${failureOf(error).reason.message}`);
    }
  }

  #cancelUrl(answer: Answer): string | null {
    const { cancel } = this.#attempt.config;
    if (cancel === undefined) return null;
    try {
      return jobUrl(cancel.url, answer, 'cancel.url').href;
    } catch (error) {
      this.#attempt.stderr.write(`The job cannot be cancelled: ${failureOf(error).reason.message}\n`);
      return null;
    }
  }

  #request(wait: CallbackWait | null): Prepared {
    const { config } = this.#attempt;
    return prepared(wait === null ? config : withCallback(config, wait.url), this.#rules);
  }

  #prepared(href: string, given: JobUrl, call: PollConfig | CancelConfig): Prepared {
    const isWritten = typeof given === 'string' && /^https?:/.test(given);
    const json = 'json' in call ? call.json : undefined;
    const { method, headers } = call;
    return preparedForJob(this.#attempt.config, { url: targetOf(href), isWritten, method, headers, json }, this.#rules);
  }

  #options() {
    return callOptions(this.#attempt, this.#rules, { print: null, wantsBody: true });
  }
}

const withFate = (why: Failed, fate: string): Failed => ({
  ...why,
  reason: { ...why.reason, message: `${why.reason.message} (${fate})` },
});

function stopped(fate: string): Failed {
  return failure('STOPPED', `The attempt was stopped: ${fate}.`);
}

/** What an agent before has kept is not what this one keeps. */
export function unreadable(): Failed {
  const message = 'What the agent before has kept of the job cannot be read.';
  return { ok: false, kind: 'UNKNOWN', reason: { code: 'HANDLE_UNREADABLE', message } };
}
