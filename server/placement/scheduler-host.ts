import type {
  Decision,
  Json,
  PlacementOutput,
  Reason,
  Reservation,
  ReservePolicy,
  SchedulerPlugin,
  SchedulerWish,
} from '@gantry/plugin-kit/scheduler';
import type { Clock } from '../clock.ts';
import { firstFit } from './fallback.ts';
import type { HeldNode, Offer, Scheduler, SchedulerCall, SchedulerStatus } from './scheduler.ts';

export interface SchedulerHostOptions {
  readonly plugin: SchedulerPlugin;
  /** As the plugin's own schema has checked it. */
  readonly config: unknown;
  /** As it was stored last; null at first. */
  readonly memory: Json;
  readonly seed: number;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Told of faults; not of each, when they come by the thousand. */
  readonly log: (message: string) => void;
  /** How long a call may take. Default 2,000. Milliseconds. */
  readonly budgetMs?: number;
}

const BUDGET_MS = 2_000;

/**
 * After a second call in a row over its budget the plugin rests for so many times as long: it gets a tenth of the
 * engine's time. One such call may be the machine's fault.
 */
const REST_FACTOR = 9;

const REMEDY = 'Run describeScheduler of @gantry/plugin-kit/testing over it.';

/** Calls between two that are made twice. */
const ASKED_AGAIN_EVERY = 128;

/** A scheduler may hold so many nodes at once, whatever it says. */
const MAX_HELD = 64;

const MAX_MEMORY_BYTES = 16 << 10;

/**
 * Runs a scheduler plugin, and expects everything of it: that it throws, takes too long, returns nonsense. A call that
 * fails is decided by the fallback, counted and told. The plugin runs in this process: a call cannot be broken off, but
 * a plugin that was too slow is not asked again for a while.
 */
export class SchedulerHost implements Scheduler {
  readonly #options: SchedulerHostOptions;
  readonly #wants: readonly SchedulerWish[];
  readonly #reserves: ReservePolicy | null;
  #held: readonly HeldNode[] = [];
  #memory: Json;
  #memoryText: string;
  #calls = 0;
  #decisions = 0;
  #refusals = 0;
  #faults = 0;
  #lastFault: string | null = null;
  #isFaulty = false;
  #lastCall: SchedulerCall | null = null;
  /** In a row, over the budget. */
  #slowCalls = 0;
  /** By the monotonic clock. */
  #restsUntil = -Infinity;

  constructor(options: SchedulerHostOptions) {
    this.#options = options;
    this.#memory = options.memory;
    this.#memoryText = JSON.stringify(options.memory);
    this.#wants = options.plugin.wants?.(options.config) ?? [];
    this.#reserves = policyIn(options.plugin.reserves?.(options.config));
  }

  get wants(): readonly SchedulerWish[] {
    return this.#wants;
  }

  get reserves(): ReservePolicy | null {
    return this.#reserves;
  }

  get held(): readonly HeldNode[] {
    return this.#held;
  }

  get memory(): Json {
    return this.#memory;
  }

  get lastCall(): SchedulerCall | null {
    return this.#lastCall;
  }

  get status(): SchedulerStatus {
    const { name, version } = this.#options.plugin;
    return {
      name,
      version,
      state: this.#isFaulty ? 'FAULTY' : 'HEALTHY',
      calls: this.#calls,
      decisions: this.#decisions,
      refusals: this.#refusals,
      faults: this.#faults,
      lastFault: this.#lastFault,
    };
  }

  decide(makeOffer: () => Offer): readonly Decision[] {
    const { plugin, clock, budgetMs = BUDGET_MS } = this.#options;
    const before = clock.monotonic();
    this.#lastCall = null;
    if (before < this.#restsUntil) {
      this.#held = [];
      return firstFit(makeOffer());
    }
    this.#calls++;
    const answer = this.#ask(makeOffer());
    const tookMs = clock.monotonic() - before;
    this.#slowCalls = tookMs > budgetMs ? this.#slowCalls + 1 : 0;
    if (tookMs > budgetMs) {
      const restMs = this.#slowCalls > 1 ? tookMs * REST_FACTOR : 0;
      this.#restsUntil = before + tookMs + restMs;
      this.#fault({
        code: 'TOO_SLOW',
        message: `The scheduler ${plugin.name} took ${Math.round(tookMs)} ms for one call; it has ${budgetMs} ms.`,
        remedy:
          restMs > 0
            ? `First fit decides for ${Math.round(restMs)} ms; give the pool another scheduler if it stays so.`
            : 'Once more, and first fit decides for a while.',
      });
    }
    if ('problem' in answer) {
      this.#held = [];
      this.#fault(answer.problem);
      return firstFit(makeOffer());
    }
    if (tookMs <= budgetMs) this.#isFaulty = false;
    if (this.#calls % ASKED_AGAIN_EVERY === 0) this.#askAgain(makeOffer());
    this.#decisions += answer.decisions.length;
    return answer.decisions;
  }

  decideInstead(makeOffer: () => Offer, fault: Reason, refusals: number): readonly Decision[] {
    this.#refusals += refusals;
    this.#fault(fault);
    return firstFit(makeOffer());
  }

  /** Now and then a call is made twice: what a plugin decides must follow from what it is told, and from nothing else. */
  #askAgain(offer: Offer): void {
    const { plugin } = this.#options;
    const { input, decisions } = this.#lastCall!;
    try {
      const { config, memory, seed, reservations } = input;
      const again = plugin.place({ ...offer, config, memory, seed, ...(reservations && { reservations }) });
      if (JSON.stringify(again.decisions) === JSON.stringify(decisions)) return;
      this.#fault({
        code: 'NOT_DETERMINISTIC',
        message: `The scheduler ${plugin.name} was asked the same twice, and did not decide the same.`,
        remedy: `What it decides cannot be explained or made again. ${REMEDY}`,
      });
    } catch {
      // What throws is counted when it is asked in earnest.
    }
  }

  /** The plugin's decisions, and its memory kept; or what is wrong with its answer. */
  #ask(offer: Offer): { readonly decisions: readonly Decision[] } | { readonly problem: Reason } {
    const { plugin, config, seed } = this.#options;
    const reservations = asOffered(this.#held, offer);
    const input = {
      ...offer,
      config,
      memory: this.#memory,
      seed: seedOf(seed, this.#calls),
      ...(reservations.length > 0 && { reservations }),
    };
    this.#lastCall = { scheduler: plugin.name, version: plugin.version, input, decisions: null };
    try {
      const output = plugin.place(input);
      const wrong = nonsenseIn(output, offer.tasks.length) ?? wrongReservationIn(output, offer, this.#reserves);
      const text = wrong === null ? JSON.stringify(output.memory ?? null) : '';
      const nonsense = wrong ?? memoryProblem(output.memory, text);
      if (nonsense !== null) {
        return {
          problem: { code: 'NONSENSE', message: `The scheduler ${plugin.name} returned ${nonsense}.`, remedy: REMEDY },
        };
      }
      if (text !== this.#memoryText) {
        // A copy: what it keeps a hold of it could change later.
        this.#memory = JSON.parse(text) as Json;
        this.#memoryText = text;
      }
      this.#held = (output.reservations ?? []).map(({ task, node, since }) => {
        return { taskRun: task, node: offer.nodes[node]!.name, since };
      });
      this.#lastCall = { ...this.#lastCall, decisions: output.decisions };
      return { decisions: output.decisions };
    } catch (error) {
      const message = `The scheduler ${plugin.name} threw: ${error instanceof Error ? error.message : String(error)}`;
      return { problem: { code: 'THREW', message, remedy: REMEDY } };
    }
  }

  #fault(reason: Reason): void {
    this.#faults++;
    this.#isFaulty = true;
    const isNews = reason.message !== this.#lastFault || Number.isInteger(Math.log2(this.#faults));
    this.#lastFault = reason.message;
    if (isNews) this.#options.log(`${reason.message} ${reason.remedy ?? ''} This is fault ${this.#faults}.`);
  }
}

/** A seed for each call: its own, and the same in every replay. */
function seedOf(seed: number, call: number): number {
  let mixed = (seed ^ Math.imul(call, 0x9e3779b9)) >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

function memoryProblem(memory: unknown, text: string | undefined): string | null {
  if (memory === undefined) return 'no memory: return the one that it was given, or null';
  if (text === undefined) return 'a memory that is not plain data';
  return text.length > MAX_MEMORY_BYTES || Buffer.byteLength(text) > MAX_MEMORY_BYTES
    ? `a memory of more than ${MAX_MEMORY_BYTES} bytes`
    : null;
}

/** What is wrong with the structure of an answer; whether it makes sense is for verification. */
function nonsenseIn(output: unknown, taskCount: number): string | null {
  if (typeof output !== 'object' || output === null) return `${String(output)} instead of decisions and memory`;
  const { decisions } = output as Partial<PlacementOutput>;
  if (!Array.isArray(decisions)) return 'no list of decisions';
  if (decisions.length > taskCount) return `${decisions.length} decisions for ${taskCount} tasks`;
  for (let at = 0; at < decisions.length; at++) {
    if (!isDecision(decisions[at])) return `a decision that is none, at index ${at}`;
  }
  return null;
}

/** For whom a plugin says that it holds nodes; null when that is nobody, or no sense. */
function policyIn(value: unknown): ReservePolicy | null {
  const { afterMs, atOnce } = (value ?? {}) as Partial<Record<keyof ReservePolicy, unknown>>;
  if (typeof afterMs !== 'number' || typeof atOnce !== 'number') return null;
  return afterMs >= 0 && atOnce >= 1 ? { afterMs, atOnce: Math.min(Math.floor(atOnce), MAX_HELD) } : null;
}

/** What is held, of those that are offered again and nodes that are still there. */
function asOffered(held: readonly HeldNode[], { tasks, nodes }: Offer): readonly Reservation[] {
  if (held.length === 0) return [];
  const wanted = new Set(held.map(({ taskRun }) => taskRun));
  const offered = new Set(tasks.map(({ key }) => key).filter((key) => wanted.has(key)));
  return held.flatMap(({ taskRun, node: name, since }) => {
    const node = offered.has(taskRun) ? nodes.findIndex((each) => each.name === name) : -1;
    return node < 0 ? [] : [{ task: taskRun, node, since }];
  });
}

/** What is wrong with the nodes that a scheduler holds. */
function wrongReservationIn(
  { decisions, reservations }: PlacementOutput,
  { tasks, nodes }: Offer,
  policy: ReservePolicy | null,
): string | null {
  if (reservations === undefined) return null;
  if (!Array.isArray(reservations)) return 'reservations that are no list';
  if (reservations.length === 0) return null;
  if (policy === null) return 'nodes that it holds, although it has no `reserves`';
  if (reservations.length > policy.atOnce) return `${reservations.length} nodes that it holds; it may ${policy.atOnce}`;
  const open = new Set(tasks.map(({ key }) => key));
  for (const { task } of decisions) open.delete(task);
  const free = new Set(nodes.keys());
  for (const each of reservations as readonly unknown[]) {
    const { task, node, since } = (each ?? {}) as Partial<Reservation>;
    if (typeof since !== 'number') return 'a reservation that does not say since when';
    if (!open.delete(task!)) return `a node held for ${task}, which is decided on, not offered, or has one already`;
    if (!free.delete(node!)) return `node ${node} held for ${task}: there is none, or it is held already`;
  }
  return null;
}

function isDecision(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { task, node, hold, preempt } = value as Partial<Record<'task' | 'node' | 'hold' | 'preempt', unknown>>;
  if (typeof task !== 'string') return false;
  if (preempt !== undefined && !(Array.isArray(preempt) && preempt.every((key) => typeof key === 'string')))
    return false;
  if (node !== undefined) return Number.isInteger(node) && hold === undefined;
  if (typeof hold !== 'object' || hold === null || 'node' in value) return false;
  const { code, message, remedy } = hold as Partial<Record<keyof Reason, unknown>>;
  return (
    typeof code === 'string' && typeof message === 'string' && (remedy === undefined || typeof remedy === 'string')
  );
}
