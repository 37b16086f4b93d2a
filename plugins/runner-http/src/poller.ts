import { setTimeout as passed } from 'node:timers/promises';
import type { Attempt, Outcome } from '@gantry/plugin-kit/runner';
import { printAnswer, type Answer } from './answer.ts';
import { ask } from './ask.ts';
import type { CallEnded } from './call.ts';
import { holds, toldProgress, undecided } from './condition.ts';
import type { HttpConfig } from './config.ts';
import { failure, type Failed } from './failure.ts';
import { jobFailed, type Followed } from './followed.ts';
import type { PollConfig } from './job-config.ts';
import { outputsOf } from './outputs.ts';
import type { Prepared } from './request.ts';
import { retryAfterMs } from './retry-after.ts';
import type { NodeRules } from './settings.ts';
import { callOptions, NO_KEY } from './task-call.ts';

/** Asks for a job's end until it has come. */
export class Poller {
  readonly #attempt: Attempt<HttpConfig>;
  readonly #poll: PollConfig;
  readonly #prepared: Prepared;
  readonly #rules: NodeRules;
  #failures = 0;

  constructor(attempt: Attempt<HttpConfig>, poll: PollConfig, prepared: Prepared, rules: NodeRules) {
    this.#attempt = attempt;
    this.#poll = poll;
    this.#prepared = prepared;
    this.#rules = rules;
  }

  /** @param firstMs Before the first poll. */
  async follow(firstMs: number): Promise<Followed> {
    const { stop } = this.#attempt;
    const { factor, interval, maxInterval } = this.#poll;
    let delayMs = firstMs;
    let intervalMs = interval;
    for (;;) {
      // Not a reason for the process to stay: who closes the agent leaves the job to the next one.
      await passed(delayMs, undefined, { signal: stop, ref: false }).catch(() => undefined);
      if (stop.aborted) return { isJobOver: false, why: null };
      const ended = await ask(this.#prepared, this.#options(), stop);
      if (ended.ok === null) return { isJobOver: false, why: null };
      const followed = this.#heard(ended);
      if (followed !== null) return followed;
      intervalMs = Math.min(intervalMs * factor, maxInterval);
      delayMs = Math.max(nearly(intervalMs), retryAfterMs(ended.answer, Date.now()));
    }
  }

  #options() {
    const options = callOptions(this.#attempt, this.#rules, { print: null, wantsBody: true });
    // The next poll is the next try.
    return { ...options, ...NO_KEY, expect: this.#poll.expect, reconnect: { ...options.reconnect, max: 0 } };
  }

  #heard(ended: CallEnded): Followed | null {
    if (!ended.ok) return ended.isPassing ? this.#failed(ended.failure) : { isJobOver: false, why: ended.failure };
    const { answer } = ended;
    const { failWhen, until, progress } = this.#poll;
    const hasFailed = failWhen === undefined ? false : holds(failWhen, answer);
    if (hasFailed === true) return { isJobOver: true, outcome: jobFailed(answer) };
    const hasEnded = holds(until, answer);
    if (hasEnded === true) return { isJobOver: true, outcome: this.#ended(answer) };
    if (hasFailed === null || hasEnded === null)
      return this.#failed(undecided(`The poll’s answer (${answer.status})`, answer));
    this.#failures = 0;
    const told = progress === undefined ? null : toldProgress(progress, answer);
    if (told !== null) this.#attempt.progress(told.at, told.message);
    return null;
  }

  #failed(why: Failed): Followed | null {
    if (++this.#failures <= this.#poll.maxFailures) {
      this.#attempt.stderr.write(`${why.reason.message} The job is asked for again.\n`);
      return null;
    }
    const message = `${this.#failures} polls in a row failed. The last one: ${why.reason.message}`;
    return { isJobOver: false, why: failure('POLL_FAILED', message, why.reason.remedy ?? 'Raise poll.maxFailures.') };
  }

  #ended(answer: Answer): Outcome {
    printAnswer(answer, this.#attempt.stdout);
    return outputsOf(this.#attempt.config, answer, 'job');
  }
}

/** A little less, never the same: jobs that began together are not asked for together. */
const nearly = (ms: number): number => Math.round(ms * (0.9 + Math.random() / 10));
