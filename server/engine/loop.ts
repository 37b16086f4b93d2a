import type { Json } from '@gantry/plugin-kit/vocabulary';
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import type { Change } from '../domain/change.ts';
import type { PreparedCommand } from '../domain/command.ts';
import type { DecisionRow } from '../domain/decision.ts';
import type { Effect } from '../domain/effect.ts';
import type { EventBatch } from '../domain/event.ts';
import type { RunnerIdempotency } from '../domain/idempotency.ts';
import type { RunId } from '../domain/ids.ts';
import type { Input } from '../domain/input.ts';
import type { Node } from '../domain/node.ts';
import type { NodeRecord } from '../domain/node-record.ts';
import type { Service } from '../lifecycle.ts';
import type { Placement } from '../placement/placement.ts';
import type { HeldLease, Store } from '../store/store.ts';
import { CommandSource } from './commands-source.ts';
import { advance } from './core/advance.ts';
import type { Moment } from './core/moment.ts';
import type { PoolState, SilenceLimits } from './core/pool-state.ts';
import { RunFault } from './core/run-fault.ts';
import { Step } from './core/step.ts';
import { unwrittenDueAt } from './core/unwritten.ts';
import { Inbox, type Offer } from './inbox.ts';
import { DecisionLog } from './decision-log.ts';
import { DurationHistory } from './duration-history.ts';
import { LeaseKeeper, type LeaseHolder } from './lease.ts';
import { recoverPool } from './recovery.ts';
import { keyOf, requestOf, shapeOfTaskRun, tellAll, tenantOf } from './requests.ts';
import { Bell } from './wake.ts';

export interface EngineOptions {
  readonly pool: string;
  /** This process among the servers that share a database. */
  readonly holder: LeaseHolder;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly silence: SilenceLimits;
  /** What runners say of work whose outcome nobody knows: whether it may be done again. */
  readonly isRunnerIdempotent?: RunnerIdempotency;
  /** A fresh placement for the pool, with the scheduler's memory as it was committed last. */
  makePlacement(): Promise<Placement>;
  /** Before a reload: whatever was to be done is to be forgotten; it will be told anew. */
  reset(): void;
  /** Does in the world what the committed step asks for. Must not throw. */
  perform(effects: readonly Effect[]): void;
  /** Hands on what has become true. Must not throw. */
  publish(batch: EventBatch): void;
  /** Hands on which nodes hold more or less than before, each time it has been committed. Must not throw. */
  publishLoads(nodes: readonly string[]): void;
}

/** How long the engine sleeps at most: commands of other servers are found then, and silence is noticed. Milliseconds. */
const IDLE_MS = 1_000;
/** Decisions between two looks at what may be forgotten. */
const TRIM_EVERY = 256;
/** What is kept of decisions, in number and in characters. */
const KEPT_DECISIONS = { decisions: 20_000, characters: 64 << 20 };
/** Records of nodes between two looks at what may be forgotten, and how many are kept of each node. */
const TRIM_RECORDS_EVERY = 256;
const KEPT_NODE_RECORDS = 1_000;
const RELOAD_BACKOFF_MS = [100, 500, 2_000, 5_000];

/** A commit that is under way, with everything that may happen only after it. */
interface Pending {
  readonly done: Promise<void>;
}

/**
 * The one writer of a pool's state. It takes a batch of inputs, advances the core, asks the scheduler, commits all of
 * it in one transaction, and only then lets effects and events out. While one batch is being written the next is
 * worked out; it is written after it, or never. If a commit fails, or the core throws, the engine drops its memory
 * and reloads: it never goes on from a state that is not durable.
 */
export class Engine implements Service {
  readonly inbox: Inbox;
  readonly #options: EngineOptions;
  readonly #bell = new Bell();
  readonly #lease: LeaseKeeper;
  readonly #commands: CommandSource;
  readonly #stopping = new AbortController();
  #running: Promise<void> | null = null;
  #ready: (() => void) | null = null;
  #isReady = false;
  #hasNews = true;
  #lookedAt = -Infinity;
  /** Commands that made the core throw when they were alone: refused at the next reload. */
  readonly #poisoned = new Set<number>();
  /** Runs on which the engine failed, and how: set aside at the next reload. */
  readonly #faults = new Map<RunId, string>();
  /** After a fault: one input at a time, so that the one at fault is found. */
  #isCareful = false;
  #placement: Placement | null = null;
  #pool: PoolState | null = null;
  readonly #decisions = new DecisionLog();
  #decided = 0;
  #recorded = 0;
  readonly #recordedNodes = new Set<string>();
  /** Null while no scheduler asks for it. */
  #durations: DurationHistory | null = null;
  /** The pool has another scheduler since the last commit. */
  #isPlacementOutdated = false;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.inbox = new Inbox(this.#bell.ring);
    this.#lease = new LeaseKeeper(options.store.leases, options.pool, options.holder, options.clock);
    this.#commands = new CommandSource(options.store, options.pool);
  }

  /** Whether it owns its pool and has caught up with the store. */
  get isReady(): boolean {
    return this.#isReady && this.#lease.isTrusted;
  }

  /** What explains pending task runs; null while the engine is not ready. */
  get placement(): Placement | null {
    return this.#isReady ? this.#placement : null;
  }

  /** Tells a placement of somebody else's of everything that there is now; false while the engine is not ready. */
  describeTo(placement: Placement): boolean {
    if (!this.#isReady || this.#pool === null) return false;
    tellAll(placement, this.#pool, this.#durations ?? new DurationHistory());
    return true;
  }

  /** What a node is now, as the engine knows it; null for one that it does not know. */
  node(name: string): Node | null {
    return this.#pool?.nodes.get(name) ?? null;
  }

  /** Tells it that a command has been stored. */
  readonly nudge = (): void => {
    this.#hasNews = true;
    this.#bell.ring();
  };

  /** Resolves when the pool is ours and restored. */
  async start(): Promise<void> {
    if (this.#running) return;
    const ready = new Promise<void>((resolve) => (this.#ready = resolve));
    this.#running = this.#live();
    await Promise.race([ready, this.#running]);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#bell.ring();
    await this.#running;
    await this.#lease.resign();
    this.inbox.clear(new Error('The engine has stopped.'));
  }

  async #live(): Promise<void> {
    const { signal } = this.#stopping;
    let failures = 0;
    while (!signal.aborted) {
      try {
        await this.#term(signal, () => (failures = 0));
      } catch (error) {
        if (signal.aborted) break;
        if (error instanceof RunFault) this.#faults.set(error.run, error.message);
        this.#options.log.error({ err: error, pool: this.#options.pool }, 'The engine dropped its memory and reloads.');
        const backoff = RELOAD_BACKOFF_MS[Math.min(failures++, RELOAD_BACKOFF_MS.length - 1)]!;
        await this.#options.clock.sleep(backoff, signal).catch(() => undefined);
      } finally {
        this.#isReady = false;
        this.#placement = null;
        this.#pool = null;
        this.inbox.clear(new Error('The engine reloads: say it again.'));
        this.#commands.reset();
      }
    }
  }

  /** From taking the lease to losing it. */
  async #term(signal: AbortSignal, onReady: () => void): Promise<void> {
    const { clock, pool: name } = this.#options;
    const lease = await this.#lease.acquire(signal, () =>
      this.#options.log.warn({ pool: name }, 'Another server leads this pool: this one waits for it to end.'),
    );
    const term = new AbortController();
    const kept = this.#lease.keep(lease, term.signal).then(this.#bell.ring);
    try {
      const { pool, step } = await recoverPool(this.#options, lease, this.#faults);
      this.#pool = pool;
      let placement = await this.#replacePlacement(pool);
      step.placement.nodes.length = step.placement.queued.length = 0;
      let pending = await this.#finish(pool, placement, lease, step, [], [], null);
      await pending?.done;
      pending = null;
      // Also when there is nothing to do: it says that what should run is known again.
      this.#options.perform([]);
      this.#isReady = true;
      this.#hasNews = true;
      this.#ready?.();
      onReady();
      while (!signal.aborted) {
        if (!this.#lease.isTrusted) throw new Error('The lease is not held any more.');
        const wait = this.#idleTime(pool, placement);
        if (wait > 0) {
          await pending?.done;
          pending = null;
          await this.#bell.wait(clock, this.#idleTime(pool, placement));
        } else {
          await clock.turn();
        }
        pending = await this.#batch(pool, placement, lease, pending);
        if (!this.#isPlacementOutdated) continue;
        await pending?.done;
        pending = null;
        placement = await this.#replacePlacement(pool);
      }
      await pending?.done;
    } finally {
      term.abort();
      await kept;
    }
  }

  /** A placement with the pool's scheduler as it is stored, told of everything that there is. */
  async #replacePlacement(pool: PoolState): Promise<Placement> {
    const { store, makePlacement, pool: name } = this.#options;
    const placement = await makePlacement();
    this.#durations = placement.wantsForecast ? new DurationHistory(await store.taskRuns.durations(name)) : null;
    tellAll(placement, pool, this.#durations);
    this.#placement = placement;
    this.#isPlacementOutdated = false;
    return placement;
  }

  /** Milliseconds until something must be looked at; 0 when there is work. */
  #idleTime(pool: PoolState, placement: Placement): number {
    if (!this.inbox.isEmpty || this.#hasNews || placement.canPlace) return 0;
    return Math.max(
      0,
      Math.min(IDLE_MS, Math.min(pool.timers.nextAt, unwrittenDueAt(pool)) - this.#options.clock.monotonic()),
    );
  }

  async #batch(
    pool: PoolState,
    placement: Placement,
    lease: HeldLease,
    before: Pending | null,
  ): Promise<Pending | null> {
    const { clock } = this.#options;
    let commands: readonly PreparedCommand[] = [];
    const monotonic = clock.monotonic();
    if (this.#hasNews || monotonic - this.#lookedAt >= IDLE_MS) {
      this.#hasNews = false;
      this.#lookedAt = monotonic;
      commands = await this.#commands.take();
    }
    const { inputs, offers } = this.inbox.take();
    const now = momentOf(clock);
    const step = new Step(pool, now);
    const batch: Input[] = inputs as Input[];
    for (const [id, message] of this.#commands.takeUnreadable()) {
      step.receipt(id, { ok: false, code: 'INTERNAL_ERROR', message });
    }
    for (const command of commands) {
      if (this.#poisoned.has(command.id)) {
        step.receipt(command.id, {
          ok: false,
          code: 'INTERNAL_ERROR',
          message: 'The engine failed on this command; its log says why.',
        });
      } else {
        batch.push({ type: 'COMMAND', command });
      }
    }
    try {
      if (this.#isCareful) this.#advanceOneByOne(pool, batch, now, step);
      else advance(pool, batch, now, step);
      this.#isCareful = false;
      return await this.#finish(pool, placement, lease, step, offers, commands, before);
    } catch (error) {
      this.#isCareful = true;
      for (const offer of offers) offer.reject(error as Error);
      await before?.done.catch(() => undefined);
      throw error;
    }
  }

  #advanceOneByOne(pool: PoolState, batch: readonly Input[], now: Moment, step: Step): void {
    for (const input of batch) {
      try {
        advance(pool, [input], now, step);
      } catch (error) {
        if (input.type === 'COMMAND') this.#poisoned.add(input.command.id);
        throw error;
      }
    }
  }

  /** Places what can be placed, and begins to write the step once the one before is durable. */
  async #finish(
    pool: PoolState,
    placement: Placement,
    lease: HeldLease,
    step: Step,
    offers: readonly Offer[],
    commands: readonly PreparedCommand[],
    before: Pending | null,
  ): Promise<Pending | null> {
    const { store, clock, pool: name } = this.#options;
    const now: Moment = { at: step.now, tick: step.tick };
    tellPlacement(placement, step, this.#durations);
    let memory: Json | undefined;
    let decision: DecisionRow | undefined;
    if (placement.canPlace) {
      const placed = placement.place(clock.now());
      if (placed.memoryChanged) memory = placed.memory;
      if (placed.placements.length > 0) {
        if (placed.call !== null) decision = this.#decisions.rowOf(placed.call, placed.placements.length, step.now);
        advance(pool, [{ type: 'PLACEMENT', placements: placed.placements }], now, step);
        tellPlacement(placement, step, this.#durations);
      }
      for (const { taskRun, by } of placed.preempted) advance(pool, [{ type: 'PREEMPT', taskRun, by }], now, step);
    }
    if (step.isEmpty) {
      if (before) await before.done;
      this.#settle(step, offers, commands);
      return null;
    }
    pool.seq = step.seq;
    this.#isPlacementOutdated ||= step.hasPoolUpdate;
    const change: Change = {
      ...step.change(),
      ...(memory === undefined ? {} : { schedulerMemory: memory }),
      ...(decision === undefined ? {} : { decision }),
    };
    if (before) await before.done;
    if (!this.#lease.isTrusted) throw new Error('The lease ended before the batch could be written.');
    // The rows are read off the engine's objects at once, before the next batch changes them.
    const written = store.commit(lease, step.seq, change);
    const done = written.then(() => {
      this.#options.publish({ pool: name, seq: step.seq, at: step.now, ...change.events });
      if (change.nodes.length > 0) this.#options.publishLoads(change.nodes.map((node) => node.name));
      this.#settle(step, offers, commands);
      if (decision !== undefined) this.#trimDecisions();
      if (change.nodeRecords.length > 0) this.#trimNodeRecords(change.nodeRecords);
    });
    done.catch((error: Error) => {
      for (const offer of offers) offer.reject(error);
    });
    return { done };
  }

  /** Now and then; what it fails to forget it forgets the next time. */
  #trimDecisions(): void {
    if (++this.#decided % TRIM_EVERY !== 0) return;
    const { store, log, pool } = this.#options;
    store.decisions
      .trim(pool, KEPT_DECISIONS)
      .catch((error: Error) => log.warn({ err: error, pool }, 'Old decisions could not be forgotten.'));
  }

  /** As above, of the nodes to which something has happened. */
  #trimNodeRecords(records: readonly NodeRecord[]): void {
    this.#recorded += records.length;
    for (const { node } of records) this.#recordedNodes.add(node);
    if (this.#recorded < TRIM_RECORDS_EVERY) return;
    const { store, log, pool } = this.#options;
    store.nodeRecords
      .trim([...this.#recordedNodes], KEPT_NODE_RECORDS)
      .catch((error: Error) => log.warn({ err: error, pool }, 'Old records of nodes could not be forgotten.'));
    this.#recorded = 0;
    this.#recordedNodes.clear();
  }

  /** What waited for the step to be durable may happen now. */
  #settle(step: Step, offers: readonly Offer[], commands: readonly PreparedCommand[]): void {
    if (step.effects.length > 0) this.#options.perform(step.effects);
    for (const offer of offers) offer.resolve();
    if (commands.length > 0) this.#commands.settled(commands.map(({ id }) => id));
  }
}

const momentOf = (clock: Clock): Moment => ({ at: clock.now(), tick: clock.monotonic() });

/** Hands a step's news on and strikes them off; what has changed again since is told as it is now. */
function tellPlacement(placement: Placement, step: Step, durations: DurationHistory | null): void {
  const { queued, withdrawn, released, nodes } = step.placement;
  for (const node of nodes) placement.nodeChanged(node);
  for (const { taskRun, node, attempt, gpus } of released) {
    placement.release(shapeOfTaskRun(taskRun, attempt), node, tenantOf(taskRun), keyOf(taskRun), gpus);
    if (durations !== null && taskRun.state === 'SUCCEEDED') durations.ended(taskRun);
  }
  for (const taskRun of withdrawn) if (taskRun.state !== 'READY') placement.withdraw(keyOf(taskRun));
  for (const taskRun of queued) {
    if (taskRun.state !== 'READY') continue;
    placement.add(requestOf(taskRun, durations));
  }
  nodes.length = released.length = withdrawn.length = queued.length = 0;
}
