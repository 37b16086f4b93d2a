import type { Change } from '../../domain/change.ts';
import type { HeldLease } from '../store.ts';

/** The engine's write path, one per dialect: everything else goes through Kysely. */
export interface Committer {
  /** As Store.commit says. */
  commit(lease: HeldLease, seq: number, change: Change): Promise<void>;
}
