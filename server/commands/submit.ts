import type { Command, Receipt } from '../domain/command.ts';

/** What became of a command; `command` is the stored one, which is an earlier one when the idempotency key was known. */
export interface Submitted {
  readonly command: Command;
  readonly receipt: Receipt;
}

/** Makes wishes durable and waits until the pool's engine has settled them. */
export interface Commands {
  /**
   * Appends the command to the pool's queue, nudges its owner and waits for the receipt. Rejects with
   * StoreUnavailable, or with EngineSilent when nobody has settled it in time (it stays queued and will be).
   */
  submit(pool: string, command: Command, actor: string, idempotencyKey?: string): Promise<Submitted>;
}

/** The command is stored, but no engine has settled it in time. */
export class EngineSilent extends Error {
  override readonly name = 'EngineSilent';
}
