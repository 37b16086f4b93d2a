import type { PreparedCommand, StoredCommand } from '../domain/command.ts';
import type { PipelineDefinition } from '../domain/pipeline.ts';
import { CorruptRow } from '../store/columns.ts';
import type { Store } from '../store/store.ts';

const BATCH = 1_000;
const DEFINITIONS_KEPT = 200;

/** Brings a pool's pending commands with the rows that the core may not fetch itself. */
export class CommandSource {
  readonly #store: Store;
  readonly #pool: string;
  readonly #definitions = new Map<string, PipelineDefinition>();
  /** To be refused with the next batch. */
  #unreadable = new Map<number, string>();
  /** Taken, and not yet settled by a commit. */
  readonly #taken = new Set<number>();

  constructor(store: Store, pool: string) {
    this.#store = store;
    this.#pool = pool;
  }

  /** Those that wait, oldest first, each taken once. */
  async take(): Promise<readonly PreparedCommand[]> {
    const pending = await this.#store.commands.pending(this.#pool, 0, BATCH + this.#taken.size, (id, message) =>
      this.#unreadable.set(id, message),
    );
    const fresh = pending.filter(({ id }) => !this.#taken.has(id)).slice(0, BATCH);
    const prepared = await Promise.all(fresh.map((stored) => this.#prepareIfReadable(stored)));
    for (const { id } of fresh) this.#taken.add(id);
    return prepared.filter((command) => command !== null);
  }

  /** The commands that cannot be obeyed because a row cannot be read, their own or one that they are about; and why. */
  takeUnreadable(): ReadonlyMap<number, string> {
    const taken = this.#unreadable;
    this.#unreadable = new Map();
    return taken;
  }

  /** Their receipts are durable. */
  settled(ids: Iterable<number>): void {
    for (const id of ids) this.#taken.delete(id);
  }

  /** Forgets what was taken: it waits in the store still. */
  reset(): void {
    this.#taken.clear();
  }

  async #prepareIfReadable(stored: StoredCommand): Promise<PreparedCommand | null> {
    try {
      return await this.#prepare(stored);
    } catch (error) {
      if (!(error instanceof CorruptRow)) throw error;
      this.#unreadable.set(stored.id, error.message);
      return null;
    }
  }

  async #prepare(stored: StoredCommand): Promise<PreparedCommand> {
    const { command } = stored;
    switch (command.type) {
      case 'TRIGGER_RUN': {
        const definition = await this.#definition(command.pipeline, command.version);
        return definition ? { ...stored, definition } : stored;
      }
      case 'RETRY_RUN': {
        const original = await this.#store.runs.whole(command.of);
        return original ? { ...stored, original } : stored;
      }
      default:
        return stored;
    }
  }

  /** One object per version, so that what is worked out of it once serves all its runs. */
  async #definition(pipeline: string, number: number): Promise<PipelineDefinition | null> {
    const key = `${pipeline} ${number}`;
    const known = this.#definitions.get(key);
    if (known) return known;
    const [version] = await this.#store.pipelines.versions([{ pipeline, number }], (_, damage) => {
      throw damage;
    });
    // Another command of the same batch may have been quicker: keep one object.
    const raced = this.#definitions.get(key);
    if (raced || !version) return raced ?? null;
    if (this.#definitions.size >= DEFINITIONS_KEPT) this.#definitions.delete(this.#definitions.keys().next().value!);
    this.#definitions.set(key, version.definition);
    return version.definition;
  }
}
