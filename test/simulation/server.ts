import { NodeSession } from '../../server/dispatch/session.ts';
import type { Effect } from '../../server/domain/effect.ts';
import { attemptId, parseAttemptId, type AttemptId } from '../../server/domain/ids.ts';
import type { Input } from '../../server/domain/input.ts';
import type { NodeFacts } from '../../server/domain/node.ts';
import { advance } from '../../server/engine/core/advance.ts';
import { violations } from '../../server/engine/core/invariants.ts';
import type { Moment } from '../../server/engine/core/moment.ts';
import { DEFAULT_SILENCE, type PoolState } from '../../server/engine/core/pool-state.ts';
import { restore } from '../../server/engine/core/restore.ts';
import { Step } from '../../server/engine/core/step.ts';
import type { Hint, SyncAnswer, SyncMessage } from '../../server/protocol/gateway.ts';
import { Broken } from './checker.ts';
import type { Mutation } from './mutations.ts';
import { CommitFailed, type SimulatedStore } from './store.ts';
import type { World } from './world.ts';

const TTL_MS = 10_000;
const RENEW_MS = 3_000;
const TICK_MS = 50;
/** The most that is placed in one step. */
const BATCH = 200;

/** What an agent says to a server. */
export type NodeMessage =
  | { readonly type: 'HELLO'; readonly facts: NodeFacts; readonly known: readonly AttemptId[]; readonly bootId: number }
  | { readonly type: 'SYNC'; readonly message: SyncMessage }
  | {
      readonly type: 'REPORT';
      readonly node: string;
      readonly incarnation: number;
      readonly reports: SyncMessage['known'];
    };
/** What a server says to an agent. */
export type ServerMessage =
  | { readonly type: 'WELCOME'; readonly incarnation: number; readonly bootId: number }
  | { readonly type: 'ANSWER'; readonly answer: SyncAnswer; readonly incarnation: number }
  | { readonly type: 'HINTS'; readonly hints: readonly Hint[]; readonly incarnation: number };

/** One server replica: the production core, placement-as-input and node sessions, on a simulated clock and store. */
export class SimulatedServer {
  readonly name: string;
  readonly #world: World;
  readonly #store: SimulatedStore;
  readonly #send: (node: string, message: ServerMessage) => void;
  readonly #mutation: Mutation | null;
  #isUp = true;
  #pausedUntil = 0;
  #term: { readonly epoch: number; trustedUntil: number } | null = null;
  #pool: PoolState | null = null;
  readonly #sessions = new Map<string, NodeSession>();
  #inputs: Input[] = [];
  readonly #hellos: { readonly facts: NodeFacts; readonly known: readonly AttemptId[]; readonly bootId: number }[] = [];
  #life = 0;

  constructor(
    name: string,
    world: World,
    store: SimulatedStore,
    mutation: Mutation | null,
    send: (node: string, message: ServerMessage) => void,
  ) {
    this.name = name;
    this.#world = world;
    this.#store = store;
    this.#mutation = mutation;
    this.#send = send;
    this.#begin();
  }

  get isLeading(): boolean {
    return this.#isUp && this.#pool !== null;
  }

  crash(): void {
    this.#isUp = false;
    this.#life++;
    this.#stepDown();
    this.#term = null;
  }

  restart(): void {
    if (this.#isUp) return;
    this.#isUp = true;
    this.#begin();
  }

  /** The process stands still and then goes on as if nothing had happened: a long pause, a stopped machine. */
  pause(ms: number): void {
    this.#pausedUntil = this.#world.now + ms;
  }

  hear(message: NodeMessage): void {
    if (!this.#isUp || this.#isPaused) return;
    // A deposed owner that has stood still must not answer from what it remembers: found by seed 890.
    if (!this.#pool || (!this.#isTrusted && this.#mutation !== 'NO_FENCE')) return;
    switch (message.type) {
      case 'HELLO':
        this.#hellos.push(message);
        break;
      case 'SYNC':
        this.#sync(message.message);
        break;
      case 'REPORT':
        if (this.#sessions.get(message.node)?.incarnation !== message.incarnation) return;
        for (const report of message.reports)
          this.#inputs.push({ type: 'REPORT', node: message.node, incarnation: message.incarnation, report });
        break;
      default:
        message satisfies never;
    }
  }

  get #isTrusted(): boolean {
    return this.#term !== null && this.#world.now < this.#term.trustedUntil;
  }

  get #isPaused(): boolean {
    return this.#world.now < this.#pausedUntil;
  }

  #begin(): void {
    const life = this.#life;
    const tick = () => {
      if (life !== this.#life) return;
      if (!this.#isPaused) this.#tick();
      this.#world.after(TICK_MS, tick);
    };
    const renew = () => {
      if (life !== this.#life) return;
      if (!this.#isPaused && this.#term && this.#store.renew(this.#term.epoch, TTL_MS)) {
        this.#term.trustedUntil = this.#world.now + TTL_MS - 1_500;
      }
      this.#world.after(RENEW_MS, renew);
    };
    this.#world.after(this.#world.random.between(0, TICK_MS), tick);
    this.#world.after(RENEW_MS, renew);
  }

  #tick(): void {
    try {
      if (!this.#pool) this.#lead();
      else this.#batch(this.#pool, this.#term!);
    } catch (error) {
      if (!(error instanceof CommitFailed)) throw error;
      this.#stepDown();
    }
  }

  get #moment(): Moment {
    const { at, tick } = this.#world.moment;
    return { at, tick: this.#mutation === 'WAITS_BY_THE_WALL' ? at : tick };
  }

  /** Takes the lease when it is free, and restores the pool from the store. */
  #lead(): void {
    // Its own term may still run: after a failed commit the same owner reloads under the same epoch.
    const isOwn =
      this.#term !== null && this.#world.now < this.#term.trustedUntil && this.#store.lease.epoch === this.#term.epoch;
    if (!isOwn) {
      const lease = this.#store.acquire(this.name, TTL_MS);
      if (!lease) return;
      this.#term = { epoch: lease.epoch, trustedUntil: this.#world.now + TTL_MS - 1_500 };
    }
    const { pool, step, damaged } = restore(
      'default',
      this.#store.recover(),
      this.#store.lease.seq,
      this.#moment,
      DEFAULT_SILENCE,
      // The planted bug: nothing is asked.
      (_runner, config) => this.#mutation === 'REPEATS_THE_UNKNOWN' || config['idempotent'] !== false,
    );
    if (damaged.length > 0) throw new Broken('I3', damaged[0]!.message);
    if (this.#mutation === 'FORGOTTEN_RETRIES') while (pool.timers.takeDue(Infinity));
    this.#sessions.clear();
    this.#pool = pool;
    this.#commit(pool, this.#term!.epoch, step);
  }

  #stepDown(): void {
    this.#pool = null;
    this.#inputs = [];
    this.#hellos.length = 0;
    this.#sessions.clear();
  }

  #batch(pool: PoolState, term: { readonly epoch: number }): void {
    // The check that a paused server passes too late is the one that the fence is there for.
    if (!this.#isTrusted && this.#mutation !== 'NO_FENCE') {
      this.#stepDown();
      this.#term = null;
      return;
    }
    const inputs: Input[] = this.#inputs.map((input) => this.#mutated(pool, input));
    this.#inputs = [];
    for (const command of this.#store.pending()) inputs.push({ type: 'COMMAND', command });
    const welcomed = this.#hellos.splice(0).map(({ facts, known, bootId }) => {
      const incarnation = this.#store.nextIncarnation(facts.name);
      inputs.push({ type: 'NODE_HELLO', facts, incarnation, known });
      return { node: facts.name, incarnation, bootId };
    });
    this.#plantIn(pool);
    const step = advance(pool, inputs, this.#moment, new Step(pool, this.#moment));
    this.#place(pool, step);
    this.#commit(pool, term.epoch, step);
    for (const { node, incarnation, bootId } of welcomed) {
      this.#session(node).incarnation = incarnation;
      this.#send(node, { type: 'WELCOME', incarnation, bootId });
    }
  }

  #commit(pool: PoolState, epoch: number, step: Step): void {
    const found = violations(pool);
    if (found.length > 0) throw new Broken(found[0]!.invariant, found[0]!.message);
    if (step.isEmpty) {
      this.#perform(step.effects);
      return;
    }
    if (this.#mutation === 'EFFECTS_BEFORE_COMMIT') this.#perform(step.effects);
    this.#store.commit(epoch, step.seq, step.change());
    pool.seq = step.seq;
    if (this.#mutation !== 'EFFECTS_BEFORE_COMMIT') this.#perform(step.effects);
  }

  /** Places first come, first served on a random node that fits; the schedulers have tests of their own. */
  #place(pool: PoolState, step: Step): void {
    const nodes = [...pool.nodes.values()].filter(
      ({ connection, eligibility }) => connection === 'READY' && eligibility === 'ELIGIBLE',
    );
    if (nodes.length === 0) return;
    const held = new Map(nodes.map((node) => [node.name, { ...node.reserved }]));
    const placements: { taskRun: string; node: string }[] = [];
    for (const run of pool.runs.values()) {
      for (const taskRun of run.taskRuns) {
        if (taskRun.state !== 'READY' || placements.length >= BATCH) continue;
        const { resources } = taskRun.task;
        const fitting = nodes.filter((node) =>
          Object.entries(resources).every(
            ([name, amount]) => (held.get(node.name)![name] ?? 0) + amount <= (node.capacity[name] ?? 0),
          ),
        );
        if (fitting.length === 0) continue;
        const node = this.#world.random.pick(fitting);
        for (const [name, amount] of Object.entries(resources))
          held.get(node.name)![name] = (held.get(node.name)![name] ?? 0) + amount;
        placements.push({ taskRun: `${taskRun.run}.${taskRun.ordinal}`, node: node.name });
      }
    }
    if (placements.length > 0) advance(pool, [{ type: 'PLACEMENT', placements }], this.#moment, step);
  }

  #perform(effects: readonly Effect[]): void {
    for (const effect of effects) {
      const session = this.#session(effect.node);
      session.perform([effect]);
    }
  }

  #session(node: string): NodeSession {
    let session = this.#sessions.get(node);
    if (!session) {
      session = new NodeSession();
      session.incarnation = this.#pool?.nodes.get(node)?.incarnation ?? 0;
      const { incarnation } = session;
      const own = session;
      session.listen((hints) =>
        this.#send(node, { type: 'HINTS', hints, incarnation: own.incarnation || incarnation }),
      );
      this.#sessions.set(node, session);
    }
    return session;
  }

  #sync(message: SyncMessage): void {
    const { node, incarnation, seq, known } = message;
    const session = this.#session(node);
    const nothing = { seq, assign: [], stop: [], forget: [] };
    const status =
      session.incarnation < incarnation ? 'UNKNOWN' : session.incarnation > incarnation ? 'SUPERSEDED' : 'OK';
    if (status !== 'OK') {
      this.#send(node, { type: 'ANSWER', incarnation, answer: { status, ...nothing } });
      return;
    }
    this.#inputs.push({ type: 'NODE_HEARD', node, incarnation });
    for (const report of known)
      if (report.state !== 'ASSIGNED') this.#inputs.push({ type: 'REPORT', node, incarnation, report });
    this.#send(node, { type: 'ANSWER', incarnation, answer: session.answer(seq, known) });
  }

  /** The planted bugs that live in the engine's memory. */
  #plantIn(pool: PoolState): void {
    for (const run of pool.runs.values()) {
      if (this.#mutation === 'NEEDS_IGNORED')
        run.needsLeft.forEach((left, index) => (run.needsLeft[index] = Math.min(left, 1)));
      if (this.#mutation === 'ENDLESS_RETRIES') for (const taskRun of run.taskRuns) taskRun.losses = 0;
    }
  }

  /** The planted bugs that live between the network and the core. */
  #mutated(pool: PoolState, input: Input): Input {
    if (this.#mutation === 'LATE_RESULT_WINS' && input.type === 'REPORT') {
      const id = parseAttemptId(input.report.attempt)!;
      const attempt = pool.taskRun(id.run, id.ordinal)?.attempt;
      if (attempt && attempt.number > id.number && attempt.node === input.node) {
        return { ...input, report: { ...input.report, attempt: attemptId(id.run, id.ordinal, attempt.number) } };
      }
    }
    return input;
  }
}
