import type { Clock } from '../clock.ts';
import type { Command, Receipt } from '../domain/command.ts';
import type { Hub } from '../events/hub.ts';
import type { Store } from '../store/store.ts';
import { EngineSilent, type Commands, type Submitted } from './submit.ts';

/** How long a caller waits for a receipt. Milliseconds. */
const RECEIPT_MS = 10_000;
/** Receipts that were published before their command's id was known here. */
const RECEIPTS_KEPT = 10_000;

interface Wish {
  readonly pool: string;
  readonly command: Command;
  readonly actor: string;
  readonly at: number;
  readonly idempotencyKey?: string;
}
interface Waiting {
  readonly wish: Wish;
  resolve(submitted: Submitted): void;
  reject(error: unknown): void;
}

/**
 * Commands that come in the same turn of the event loop are stored in one transaction. `nudge` tells the pool's owner,
 * where that is this process; another finds them by itself.
 */
export function createCommands(store: Store, hub: Hub, clock: Clock, nudge: (pool: string) => void): Commands {
  const receipts = new Map<number, Receipt>();
  const waiting = new Map<number, (receipt: Receipt) => void>();
  let collected: Waiting[] = [];
  hub.listen((batch) => {
    for (const [command, receipt] of batch.receipts) {
      const resolve = waiting.get(command);
      if (resolve) resolve(receipt);
      receipts.set(command, receipt);
      if (receipts.size > RECEIPTS_KEPT) receipts.delete(receipts.keys().next().value!);
    }
  });

  const receiptOf = async (id: number): Promise<Receipt> => {
    const known = receipts.get(id);
    if (known) return known;
    const timeout = new AbortController();
    try {
      const published = new Promise<Receipt>((resolve) => waiting.set(id, resolve));
      const late = clock.sleep(RECEIPT_MS, timeout.signal).then(() => store.commands.receipt(id));
      late.catch(() => undefined);
      const receipt = await Promise.race([published, late]);
      if (receipt) return receipt;
      throw new EngineSilent(
        `Command ${id} is stored, but the engine has not answered within ${RECEIPT_MS / 1_000} s; it will be obeyed later.`,
      );
    } finally {
      timeout.abort();
      waiting.delete(id);
    }
  };

  const flush = async () => {
    const batch = collected;
    collected = [];
    try {
      const stored = await store.commands.append(batch.map(({ wish }) => wish));
      for (const pool of new Set(batch.map(({ wish }) => wish.pool))) nudge(pool);
      stored.forEach(({ id, command, receipt }, index) => {
        const { resolve, reject } = batch[index]!;
        if (receipt) resolve({ command, receipt });
        else receiptOf(id).then((settled) => resolve({ command, receipt: settled }), reject);
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  };

  return {
    submit(pool, command, actor, idempotencyKey) {
      return new Promise<Submitted>((resolve, reject) => {
        const wish: Wish = {
          pool,
          command,
          actor,
          at: clock.now(),
          ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
        };
        collected.push({ wish, resolve, reject });
        if (collected.length === 1) void clock.turn().then(flush);
      });
    },
  };
}
