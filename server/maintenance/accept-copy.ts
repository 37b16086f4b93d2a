import type { Clock } from '../clock.ts';
import { openStore, type StoreLog } from '../store/open.ts';

/** Lets a server start on a database that was copied while another had it open: what the copy holds is taken as it is. */
export async function acceptCopy(databaseUrl: string, clock: Clock, log: StoreLog): Promise<void> {
  const store = await openStore({ url: databaseUrl, clock, log });
  try {
    await store.identity.closed();
  } finally {
    await store.close();
  }
}
