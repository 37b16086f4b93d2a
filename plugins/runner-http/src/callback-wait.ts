import type { Attempt, Json, Outcome } from '@gantry/plugin-kit/runner';
import type { Answer } from './answer.ts';
import type { CallbackListener } from './callback-listener.ts';
import { holds, undecided } from './condition.ts';
import type { HttpConfig } from './config.ts';
import { shown } from './duration.ts';
import { failure } from './failure.ts';
import { jobFailed, type Followed } from './followed.ts';
import type { CallbackConfig } from './job-config.ts';
import type { JobHandle } from './job-handle.ts';
import { outputsOf, type Outputs } from './outputs.ts';

/** The longest outcome that an agent's journal is asked to keep. Characters. */
const MAX_OUTCOME = 48_000;

/**
 * Waits for one attempt's job to call back. It waits from before the request is sent, for a job may be done before its
 * service has answered.
 */
export class CallbackWait {
  readonly #attempt: Attempt<HttpConfig, JobHandle>;
  readonly #callback: CallbackConfig;
  readonly #listener: CallbackListener;
  /** Seconds since 1970. */
  readonly expiresAt: number;
  readonly #called = Promise.withResolvers<Outcome>();
  #begun: Outputs | null = null;
  #isCalled = false;

  constructor(
    attempt: Attempt<HttpConfig, JobHandle>,
    callback: CallbackConfig,
    listener: CallbackListener,
    expiresAt: number,
  ) {
    this.#attempt = attempt;
    this.#callback = callback;
    this.#listener = listener;
    this.expiresAt = expiresAt;
  }

  /** Where the job is to call. Not for logs: who has it may call. */
  get url(): string {
    return this.#listener.urlFor(this.#attempt.id, this.expiresAt);
  }
  /** Whether the call has come: then the newest handle tells it. */
  get isCalled(): boolean {
    return this.#isCalled;
  }

  /** Throws BadSettings when the node's port cannot be opened. */
  async begin(): Promise<void> {
    const { expiresAt } = this;
    await this.#listener.wait(this.#attempt.id, { expiresAt, accept: (answer) => this.#accept(answer) });
  }

  /** @param outputs What the answer to the request has told. */
  submitted(outputs: Outputs): void {
    this.#begun = outputs;
  }

  /** Resolves when the call has come, the time is over, or the attempt is stopped. */
  async follow(): Promise<Followed> {
    const { stop } = this.#attempt;
    const given = Promise.withResolvers<'EXPIRED' | 'STOPPED'>();
    const stopped = () => given.resolve('STOPPED');
    // After a restart the time of day is all there is to go by; it may have been set, so the wait is never a longer one.
    const leftMs = Math.min(Math.max(this.expiresAt * 1_000 - Date.now(), 0), this.#callback.timeout);
    const timer = setTimeout(() => given.resolve('EXPIRED'), leftMs);
    // Not a reason for the process to stay: who closes the agent leaves the job to the next one.
    timer.unref();
    if (stop.aborted) stopped();
    else stop.addEventListener('abort', stopped, { once: true });
    const first = await Promise.race([this.#called.promise, given.promise]);
    clearTimeout(timer);
    stop.removeEventListener('abort', stopped);
    if (first === 'STOPPED') return { isJobOver: false, why: null };
    if (first !== 'EXPIRED') return { isJobOver: true, outcome: first };
    const message = `The job has not called back within ${shown(this.#callback.timeout)}.`;
    const remedy = 'Raise callback.timeout, or see whether the job can reach the node’s callback URL.';
    return { isJobOver: false, why: failure('CALLBACK_TIMEOUT', message, remedy) };
  }

  /** The attempt is over: a call that comes now comes too late. */
  end(): void {
    this.#listener.end(this.#attempt.id);
  }

  async #accept(answer: Answer): Promise<void> {
    const outcome = this.#outcomeOf(answer);
    const kept = outcome as unknown as Json;
    this.#isCalled = true;
    try {
      await this.#attempt.checkpoint({ phase: 'CALLED', outcome: kept, outputs: this.#begun });
    } catch (error) {
      this.#isCalled = false;
      throw error;
    }
    this.#called.resolve(outcome);
  }

  #outcomeOf(answer: Answer): Outcome {
    const { failWhen } = this.#callback;
    if (failWhen !== undefined) {
      const hasFailed = holds(failWhen, answer);
      if (hasFailed === true) return jobFailed(answer);
      if (hasFailed === null) return undecided('The callback', answer);
    }
    const read = outputsOf(this.#attempt.config, answer, 'job');
    if (!read.ok) return read;
    // A call has no status: what is handed on is that of the answer to the request.
    const { status: _, ...outputs } = read.outputs;
    const outcome = { ok: true, outputs } as const;
    if (JSON.stringify(outcome).length <= MAX_OUTCOME) return outcome;
    const message = `The callback’s outputs take more than ${MAX_OUTCOME} characters.`;
    return failure('CALLBACK_TOO_LARGE', message, 'Let the job hand on where its result is, not the result.');
  }
}
