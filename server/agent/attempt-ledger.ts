import { isTerminalAttempt } from '../domain/attempt.ts';
import type { AttemptSpec } from '../domain/effect.ts';
import type { AttemptId } from '../domain/ids.ts';
import type { AttemptReport } from '../domain/input.ts';

/** Forgotten ids that are kept before the server is asked for an answer that lets them go. */
const TOMBSTONES = 50_000;

/**
 * What an agent knows of its attempts. Pure and synchronous: the agent performs, this remembers. An attempt is taken
 * on once; its end is told until the server says that it is durable; and its id is remembered a little longer, because
 * an answer that was on its way might assign it again.
 */
export class AttemptLedger {
  readonly #reports = new Map<AttemptId, AttemptReport>();
  #forgotten = new Set<AttemptId>();
  #forgottenBefore = new Set<AttemptId>();

  /** Attempts that are known and not forgotten. */
  get size(): number {
    return this.#reports.size;
  }

  /** So many ids wait for an answer that lets them go: sync soon. */
  get wantsSync(): boolean {
    return this.#forgotten.size > TOMBSTONES;
  }

  has(attempt: AttemptId): boolean {
    return this.#reports.has(attempt);
  }

  /** Of the assigned attempts, those that are new: to be journaled, then started. */
  takeOn(specs: readonly AttemptSpec[], at: number): readonly AttemptSpec[] {
    const fresh: AttemptSpec[] = [];
    for (const spec of specs) {
      const { attempt } = spec;
      if (this.#reports.has(attempt) || this.#forgotten.has(attempt) || this.#forgottenBefore.has(attempt)) continue;
      this.#reports.set(attempt, { attempt, state: 'ASSIGNED', at });
      fresh.push(spec);
    }
    return fresh;
  }

  /** Takes in what is known of an attempt from a journal. */
  recover(report: AttemptReport): void {
    this.#reports.set(report.attempt, report);
  }

  /** Takes in a change of an attempt. False when it is not known or has ended: an end is told once and sticks. */
  record(report: AttemptReport): boolean {
    const known = this.#reports.get(report.attempt);
    if (!known || isTerminalAttempt(known.state)) return false;
    this.#reports.set(report.attempt, report);
    return true;
  }

  /** The server holds the end durably. False when there is no end yet, or nothing is known. */
  forget(attempt: AttemptId): boolean {
    const known = this.#reports.get(attempt);
    if (!known || !isTerminalAttempt(known.state)) return false;
    this.#reports.delete(attempt);
    this.#forgotten.add(attempt);
    return true;
  }

  /** An answer to a sync was taken in: what was forgotten before that sync was sent cannot be assigned again. */
  answered(): void {
    this.#forgottenBefore = this.#forgotten;
    this.#forgotten = new Set();
  }

  /** The latest report of every attempt that is known: what a sync says. */
  known(): readonly AttemptReport[] {
    return [...this.#reports.values()];
  }
}
