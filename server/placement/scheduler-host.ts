import type { PlacementInput, PlacementOutput, SchedulerPlugin } from '@gantry/plugin-kit/scheduler';
import type { Json } from '@gantry/plugin-kit/vocabulary';
import { placeFirstFit } from './fallback.ts';
import type { Scheduler, SchedulerStatus } from './scheduler.ts';

/** The most that a scheduler may have remembered between calls. Bytes of JSON. */
const MAX_MEMORY_BYTES = 16 * 1024;
/** A call that takes longer is a fault: the engine waits for it. Milliseconds. */
const BUDGET_MS = 2_000;

export interface SchedulerHostOptions {
  readonly plugin: SchedulerPlugin;
  readonly config: unknown;
  /** As it was committed last. */
  readonly memory: Json;
  readonly seed: number;
  /** Milliseconds that only grow. */
  readonly clock: { monotonic(): number };
  log(message: string): void;
}

/** Runs a scheduler that may throw, return nonsense or take its time: the pool is placed all the same. */
export class SchedulerHost implements Scheduler {
  readonly #options: SchedulerHostOptions;
  #memory: Json;
  #calls = 0;
  #decisions = 0;
  #refusals = 0;
  #faults = 0;
  #lastFault: string | null = null;

  constructor(options: SchedulerHostOptions) {
    this.#options = options;
    this.#memory = options.memory;
  }

  get memory(): Json {
    return this.#memory;
  }

  get status(): SchedulerStatus {
    const { name, version } = this.#options.plugin;
    return {
      name,
      version,
      decisions: this.#decisions,
      refusals: this.#refusals,
      faults: this.#faults,
      lastFault: this.#lastFault,
    };
  }

  /** Decisions for the input; when the scheduler fails, the host's own. `memoryChanged`: there is something to commit. */
  place(input: Omit<PlacementInput, 'config' | 'memory' | 'seed'>): {
    readonly output: PlacementOutput;
    readonly memoryChanged: boolean;
  } {
    const { plugin, config, seed, clock } = this.#options;
    const whole: PlacementInput = { ...input, config, memory: this.#memory, seed: seed + this.#calls++ };
    const began = clock.monotonic();
    try {
      const output = plugin.place(whole);
      if (!Array.isArray(output?.decisions)) throw new TypeError('returned no list of decisions');
      const took = clock.monotonic() - began;
      if (took > BUDGET_MS) this.#fault(`took ${Math.round(took)} ms; ${BUDGET_MS} are allowed`);
      this.#decisions += output.decisions.length;
      return { output, memoryChanged: this.#remember(output.memory) };
    } catch (error) {
      this.#fault(error instanceof Error ? error.message : String(error));
      return { output: placeFirstFit(whole), memoryChanged: false };
    }
  }

  /** Counts decisions that were not followed against the scheduler. */
  refused(count: number): void {
    this.#refusals += count;
  }

  #remember(memory: Json): boolean {
    if (memory === this.#memory || memory === undefined) return false;
    const text = JSON.stringify(memory);
    if (text === JSON.stringify(this.#memory)) return false;
    if (text === undefined || text.length > MAX_MEMORY_BYTES) {
      this.#fault(`wants ${text?.length ?? 0} bytes remembered; ${MAX_MEMORY_BYTES} are allowed`);
      return false;
    }
    this.#memory = JSON.parse(text) as Json;
    return true;
  }

  #fault(what: string): void {
    this.#faults++;
    this.#lastFault = `Scheduler ${this.#options.plugin.name} ${what}`;
    this.#options.log(this.#lastFault);
  }
}
