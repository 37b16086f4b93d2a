import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import type { Mended } from './damage.ts';
import type { Dialect } from './dialect/dialect.ts';
import type { Committer } from './dialect/committer.ts';
import { RunKeys } from './run-keys.ts';
import type { StoreUsage } from './retention-store.ts';
import { StoreUnavailable } from './store.ts';
import type { Tables } from './tables.ts';

/** What the store tells its operator: a level and a sentence. */
export type StoreLog = (level: 'info' | 'warn', message: string) => void;

/** A connected database, as a dialect opens it. */
export interface Connection {
  readonly dialect: Dialect;
  /** Reads; may not see what another connection has not committed. */
  readonly reader: Kysely<Tables>;
  /** Everything that writes, but for commits. */
  readonly writer: Kysely<Tables>;
  /** Leases: never behind a busy pool. */
  readonly leases: Kysely<Tables>;
  readonly committer: Committer;
  /** As Store.makeRoom and Store.file say. Where the database has a file, it brings everything committed into that. */
  makeRoom?(): Promise<void>;
  readonly file?: string;
  /** As Store.ping says. */
  ping(timeoutMs: number): Promise<boolean>;
  /** As RetentionStore.usage says. */
  usage(): Promise<StoreUsage>;
  close(): Promise<void>;
}

/** Whole transactions are tried again this often: deadlocks end when one of the two has gone. */
const MAX_TRIES = 5;

/** Damaged rows that are told of, one by one; then there are more than anybody reads. */
const TOLD_DAMAGE = 1_000;

/** The connections with the rules of their use. */
export class Database {
  readonly dialect: Dialect;
  readonly reader: Kysely<Tables>;
  readonly leases: Kysely<Tables>;
  readonly runKeys: RunKeys;
  readonly log: StoreLog;
  readonly #writer: Kysely<Tables>;
  readonly #clock: Clock;
  #asideMs = 0;
  /** Damage that the operator has been told of. */
  readonly #damage = new Set<string>();

  constructor(connection: Connection, clock: Clock, log: StoreLog) {
    this.dialect = connection.dialect;
    this.reader = connection.reader;
    this.leases = connection.leases;
    this.#writer = connection.writer;
    this.#clock = clock;
    this.log = log;
    this.runKeys = new RunKeys(this.reader);
  }

  /**
   * One transaction. `work` is called again from the start when the database has broken it off (deadlock, lock wait),
   * so it must do nothing but query. Rejects with StoreUnavailable when that goes on.
   */
  write<Result>(work: (transaction: Kysely<Tables>) => Promise<Result>): Promise<Result> {
    return this.retrying(() => this.#writer.transaction().execute(work));
  }

  /** How long the transactions of `writeAside` have held up other writers, all together. Milliseconds. */
  get asideMs(): number {
    return this.#asideMs;
  }

  /** As `write`, for work in the background, which wants to know how long it was in others' way. */
  async writeAside<Result>(work: (transaction: Kysely<Tables>) => Promise<Result>): Promise<Result> {
    let began = 0;
    const result = await this.write((transaction) => {
      // Only here is it its turn: waiting for others is not holding them up.
      began = this.#clock.monotonic();
      return work(transaction);
    });
    this.#asideMs += this.#clock.monotonic() - began;
    return result;
  }

  /**
   * As `write`, for a transaction that looks whether something is there and makes it if not: when somebody else has
   * made it in between, which a unique key tells, it looks again.
   */
  async writeUnique<Result>(work: (transaction: Kysely<Tables>) => Promise<Result>): Promise<Result> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.write(work);
      } catch (error) {
        if (tries === MAX_TRIES || !this.dialect.isDuplicate(error)) throw error;
      }
    }
  }

  /** Takes what `mended` has made of a row, and tells the operator of each damage once. */
  sound<Value>({ value, damage }: Mended<Value>): Value {
    if (damage !== null) this.tellOfDamage(damage);
    return value;
  }

  tellOfDamage({ message }: Error): void {
    if (this.#damage.has(message) || this.#damage.size >= TOLD_DAMAGE) return;
    this.#damage.add(message);
    this.log('warn', message);
  }

  /** Lets everybody else have their say, for who asks much of the database: one kind answers in this very thread. */
  turn(): Promise<void> {
    return this.#clock.turn();
  }

  /** Tries a whole transaction again while the database breaks it off. */
  async retrying<Result>(transaction: () => Promise<Result>): Promise<Result> {
    return retrying(this.dialect, this.#clock, transaction);
  }
}

/** Tries a whole transaction again while the database breaks it off: five times, 10 to 200 ms apart. */
export async function retrying<Result>(
  dialect: Pick<Dialect, 'isRetriable'>,
  clock: Clock,
  transaction: () => Promise<Result>,
): Promise<Result> {
  for (let tries = 1; ; tries++) {
    try {
      return await transaction();
    } catch (error) {
      if (!dialect.isRetriable(error)) throw error;
      if (tries === MAX_TRIES) {
        throw new StoreUnavailable(
          `The database broke a transaction off ${MAX_TRIES} times: ${(error as Error).message}.`,
          {
            cause: error,
          },
        );
      }
      // Apart by chance, so that two that met do not meet again.
      await clock.sleep(10 + Math.random() * Math.min(190, 20 * 2 ** tries));
    }
  }
}

/** Cuts a list into pieces, for statements that name every item. */
export function piecesOf<Item>(items: readonly Item[], size: number): Item[][] {
  const pieces: Item[][] = [];
  for (let start = 0; start < items.length; start += size) pieces.push(items.slice(start, start + size));
  return pieces;
}
