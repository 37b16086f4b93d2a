import { AttemptLedger, type RunnerAbilities } from '../../server/agent/attempt-ledger.ts';
import type { JournaledAttempt } from '../../server/agent/journaled-attempt.ts';
import type { AttemptSpec } from '../../server/domain/effect.ts';
import { specOf } from './specs.ts';

export const succeeded = { state: 'SUCCEEDED' } as const;
export const failed = {
  state: 'FAILED',
  failure: { kind: 'APPLICATION', reason: { code: 'NO', message: 'No.' } },
} as const;

/** Runners that find everything again. */
export const ABLE: RunnerAbilities = { reattaches: () => true, finds: () => true };

/** What a journal holds of an attempt that was accepted at 5 and has not ended. */
export function aJournaled(ordinal: number, rest: Partial<JournaledAttempt> = {}): JournaledAttempt {
  const { attempt, taskKey, timeoutMs, killGraceMs } = specOf(ordinal);
  return { attempt, runner: 'mock', taskKey, timeoutMs, killGraceMs, acceptedAt: 5, boot: null, ...rest };
}

/** A ledger with one attempt that has been started, and what was to be done so far taken away. */
export function started(rest: Partial<AttemptSpec> = {}, abilities?: RunnerAbilities) {
  const ledger = new AttemptLedger(abilities);
  const spec = specOf(0, {}, rest);
  ledger.assign([spec], 0);
  ledger.journaled([spec], 1, 1);
  ledger.take();
  return { ledger, attempt: spec.attempt };
}
/** The last report. */
export const end = (ledger: AttemptLedger) => ledger.take().report.at(-1);
