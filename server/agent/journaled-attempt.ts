import type { Json, JsonObject, Resources } from '@gantry/plugin-kit/vocabulary';
import type { AttemptSpec } from '../domain/effect.ts';
import type { AttemptId } from '../domain/ids.ts';
import type { AttemptReport } from '../domain/input.ts';
import type { StopReason } from './attempt-end.ts';

/** What a restart knows of an attempt. Its environment and inputs, which only its start needs, are not kept. */
export interface JournaledAttempt {
  readonly attempt: AttemptId;
  readonly runner: string;
  readonly taskKey: string;
  readonly timeoutMs: number | null;
  readonly killGraceMs: number;
  readonly acceptedAt: number;
  /** Which start of the machine it was accepted in; null when the machine does not say. */
  readonly boot: string | null;
  /** What its runner asked to be kept (`checkpoint`); undefined before. */
  handle?: Json;
  /** When the work began, where that was kept. */
  startedAt?: number;
  /** The stop that may have been sent, and when. */
  stop?: { readonly reason: StopReason; readonly at: number };
  /** Kept with the acceptance where the runner finds it by its id, otherwise with the first handle. */
  config?: JsonObject;
  resources?: Resources;
  /** Where secrets belong, by their names. */
  secrets?: AttemptSpec['secrets'];
  /** How it ended; undefined while it may still run. */
  end?: AttemptReport;
}
