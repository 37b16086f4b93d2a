import type { LogPlace, UnpackedLog } from '../store/retention-store.ts';
import type { Store } from '../store/store.ts';
import type { Pace } from './pace.ts';

/** Attempts that are looked at together. */
const ATTEMPTS = 64;
/** After its end an attempt's last output has so long to arrive. What comes later is packed later. Milliseconds. */
const SETTLE_MS = 5_000;

/** Compresses the output of attempts that have ended. */
export async function packLogs({ logPacking }: Pick<Store, 'logPacking'>, pace: Pace, now: number): Promise<void> {
  for (let after: LogPlace | null = null; ;) {
    const place: LogPlace | null = after;
    const found: readonly UnpackedLog[] = await pace.piece(() => logPacking.unpacked(place, ATTEMPTS));
    // An end that lies ahead is of before the clock was set back.
    const due = found.filter(({ endedAt }) => endedAt !== null && (endedAt <= now - SETTLE_MS || endedAt > now));
    for (let hasMore = due.length > 0; hasMore;) ({ hasMore } = await pace.piece(() => logPacking.pack(due)));
    if (found.length < ATTEMPTS) return;
    after = found.at(-1)!;
  }
}
