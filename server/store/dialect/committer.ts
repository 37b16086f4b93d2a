import type { Change } from '../../domain/change.ts';
import { type HeldLease, LeaseLost } from '../store.ts';

/** The engine's write path, one per dialect: everything else goes through Kysely. */
export interface Committer {
  /** As Store.commit says. */
  commit(lease: HeldLease, seq: number, change: Change): Promise<void>;
}

/** The guard changed no row. */
export const leaseLost = (lease: HeldLease, seq: number): LeaseLost =>
  new LeaseLost(
    `${lease.holder} no longer owns the pool ${lease.name} under epoch ${lease.epoch}, or ${seq} is not the next sequence: nothing was written. Step down and load anew.`,
  );
