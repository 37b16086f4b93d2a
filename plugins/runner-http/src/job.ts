import type { Attempt, Json, Outcome } from '@gantry/plugin-kit/runner';
import * as z from 'zod';
import type { Answer } from './answer.ts';
import { ask } from './ask.ts';
import { mayBeRepeated } from './call.ts';
import type { HttpConfig } from './config.ts';
import { failure, failureOf, type Failed } from './failure.ts';
import type { CancelConfig, PollConfig } from './job-config.ts';
import { jobUrl, type JobUrl } from './job-url.ts';
import { outputsOf } from './outputs.ts';
import { Poller, type Followed } from './poller.ts';
import { prepared, preparedForJob, targetOf, type Prepared } from './request.ts';
import { retryAfterMs } from './retry-after.ts';
import type { NodeRules } from './settings.ts';
import { callOptions, NO_KEY } from './task-call.ts';

/** A cancel call that is not answered within this is given up, if the task says nothing. */
const CANCEL_MS = 30_000;

/** What an agent needs to follow a job that an agent before it has begun. No header is in it. */
export const jobHandle = z.discriminatedUnion('phase', [
  z.strictObject({ phase: z.literal('SUBMITTING') }),
  z.strictObject({
    phase: z.literal('FOLLOWING'),
    poll: z.string(),
    cancel: z.string().nullable(),
    outputs: z.record(z.string(), z.json() as z.ZodType<Json>),
  }),
]);
export type JobHandle = z.output<typeof jobHandle>;
type Following = Extract<JobHandle, { phase: 'FOLLOWING' }>;

/**
 * An attempt whose request only begins the work: it is submitted once, followed to its end, also by a later agent, and
 * cancelled when the attempt ends first.
 */
export class Job {
  readonly #attempt: Attempt<HttpConfig, JobHandle>;
  readonly #poll: PollConfig;
  readonly #rules: NodeRules;

  constructor(attempt: Attempt<HttpConfig, JobHandle>, poll: PollConfig, rules: NodeRules) {
    this.#attempt = attempt;
    this.#poll = poll;
    this.#rules = rules;
  }

  /** Submits the job and follows it. Throws what `failureOf` understands. */
  async run(): Promise<Outcome> {
    const { config, stop } = this.#attempt;
    if (stop.aborted) return stopped('nothing was submitted');
    const request = prepared(config, this.#rules);
    await this.#attempt.checkpoint({ phase: 'SUBMITTING' });
    return this.#submit(request);
  }

  /** Follows what an agent before has begun, and submits nothing that may be there already. Throws as `run` does. */
  async resume(handle: JobHandle): Promise<Outcome> {
    if (handle.phase === 'FOLLOWING') return this.#follow(handle, 0);
    const request = prepared(this.#attempt.config, this.#rules);
    if (mayBeRepeated(request.method, this.#options())) return this.#submit(request);
    const message = 'The agent ended while the job was submitted: nobody knows whether it was begun.';
    const remedy = 'Look for it by hand. If the service heeds Idempotency-Key, say idempotencyKey: true.';
    return { ok: false, kind: 'INFRASTRUCTURE', reason: { code: 'SUBMISSION_UNKNOWN', message, remedy } };
  }

  async #submit(request: Prepared): Promise<Outcome> {
    const { config, stop, kill } = this.#attempt;
    // Who wants a job cancelled needs the answer that names it.
    const ended = await ask(request, this.#options(), config.cancel === undefined ? stop : kill);
    if (ended === null) return stopped('whether the job was begun is not known');
    if (!ended.ok) return ended.failure;
    const { answer } = ended;
    const begun = outputsOf(config, answer, 'request');
    const cancel = this.#cancelUrl(answer);
    try {
      if (!begun.ok) return await this.#leave(cancel, begun);
      const poll = jobUrl(this.#poll.url, answer, 'poll.url').href;
      const handle: Following = { phase: 'FOLLOWING', poll, cancel, outputs: begun.outputs };
      await this.#attempt.checkpoint(handle);
      return await this.#follow(handle, Math.max(this.#poll.interval, retryAfterMs(answer, Date.now())));
    } catch (error) {
      return this.#leave(cancel, failureOf(error));
    }
  }

  async #follow(handle: Following, firstMs: number): Promise<Outcome> {
    const followed = await this.#followed(handle, firstMs);
    if (!followed.isJobOver) return this.#leave(handle.cancel, followed.why);
    const { outcome } = followed;
    return outcome.ok ? { ok: true, outputs: { ...handle.outputs, ...outcome.outputs } } : outcome;
  }

  async #followed(handle: Following, firstMs: number): Promise<Followed> {
    try {
      const request = this.#prepared(handle.poll, this.#poll.url, this.#poll);
      return await new Poller(this.#attempt, this.#poll, request, this.#rules).follow(firstMs);
    } catch (error) {
      return { isJobOver: false, why: failureOf(error) };
    }
  }

  /** The attempt ends before its job does. @param why Null when it was stopped. */
  async #leave(cancelUrl: string | null, why: Failed | null): Promise<Outcome> {
    const fate = await this.#cancel(cancelUrl);
    if (why === null) return stopped(fate);
    return { ...why, reason: { ...why.reason, message: `${why.reason.message} (${fate})` } };
  }

  /** @returns What has become of the job. */
  async #cancel(url: string | null): Promise<string> {
    const { cancel } = this.#attempt.config;
    if (cancel === undefined) return 'the job was left to itself: there is no cancel';
    if (url === null) return 'the job could not be cancelled: the answer does not tell the URL for it';
    try {
      const request = this.#prepared(url, cancel.url, cancel);
      const options = { ...this.#options(), ...NO_KEY, expect: cancel.expect, print: null };
      const timeoutMs = options.timeoutMs ?? CANCEL_MS;
      const ended = await ask(request, { ...options, timeoutMs }, this.#attempt.kill);
      if (ended === null) return 'whether the job was cancelled is not known: there was no time for the answer';
      return ended.ok ? 'the job was cancelled' : `the job could not be cancelled: ${ended.failure.reason.message}`;
    } catch (error) {
      return `the job could not be cancelled: ${failureOf(error).reason.message}`;
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

  #prepared(href: string, given: JobUrl, call: PollConfig | CancelConfig): Prepared {
    const isWritten = typeof given === 'string' && /^https?:/.test(given);
    const json = 'json' in call ? call.json : undefined;
    const { method, headers } = call;
    return preparedForJob(this.#attempt.config, { url: targetOf(href), isWritten, method, headers, json }, this.#rules);
  }

  #options() {
    return callOptions(this.#attempt, this.#rules, { print: this.#attempt.stdout, wantsBody: true });
  }
}

function stopped(fate: string): Failed {
  return failure('STOPPED', `The attempt was stopped: ${fate}.`);
}
