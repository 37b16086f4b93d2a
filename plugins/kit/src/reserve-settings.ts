import * as z from 'zod';
import type { ReservePolicy } from './scheduler.ts';

/** The settings of a scheduler that holds nodes; `reservePolicyOf` reads them. */
export interface ReserveSettings {
  /** Milliseconds; null: nodes are never held. */
  readonly reserveAfterMs: number | null;
  readonly reservations: number;
}

/** The settings in a scheduler's schema. */
export function reserveSettings(reserveAfterMs: number | null) {
  return {
    reserveAfterMs: z
      .int()
      .min(0)
      .nullable()
      .default(reserveAfterMs)
      .describe(
        'For a task that has waited so long, and fits nowhere although it is its turn, a node is held: nothing that comes after it is placed there. Null: never, and a steady stream of small tasks may keep a large one waiting for ever. Milliseconds.',
      ),
    reservations: z
      .int()
      .min(1)
      .max(64)
      .default(4)
      .describe(
        'How many nodes are held at once, at most; and of eight nodes never more than one, but one in any case.',
      ),
  };
}

/** For whom a scheduler with these settings holds nodes; null for nobody. */
export const reservePolicyOf = ({ reserveAfterMs, reservations }: ReserveSettings): ReservePolicy | null =>
  reserveAfterMs === null ? null : { afterMs: reserveAfterMs, atOnce: reservations };
