import type { AttemptSpec } from '../../server/domain/effect.ts';
import type { AttemptId } from '../../server/domain/ids.ts';
import type { AttemptReport } from '../../server/domain/input.ts';
import type { NodeFacts } from '../../server/domain/node.ts';
import type { Hint } from '../../server/protocol/gateway.ts';
import type { Checker } from './checker.ts';
import type { Mutation } from './mutations.ts';
import type { NodeMessage, ServerMessage } from './server.ts';
import type { World } from './world.ts';

const SYNC_MS = 5_000;

/** What survives a crash of the agent: its journal, and the processes that go on by themselves. */
interface Journaled {
  isForgotten: boolean;
  end: AttemptReport | null;
}

/** A node: an agent that may crash and come back, a journal, and real enough processes. */
export class SimulatedAgent {
  readonly facts: NodeFacts;
  readonly #world: World;
  readonly #checker: Checker;
  readonly #mutation: Mutation | null;
  readonly #send: (message: NodeMessage) => void;
  readonly #journal = new Map<AttemptId, Journaled>();
  /** Processes that run, with what stops them. */
  readonly #processes = new Map<AttemptId, { isStopped: boolean }>();
  #isUp = false;
  #life = 0;
  #incarnation = 0;
  #seq = 0;
  #heardSeq = 0;

  constructor(
    facts: NodeFacts,
    world: World,
    checker: Checker,
    mutation: Mutation | null,
    send: (message: NodeMessage) => void,
  ) {
    this.facts = facts;
    this.#world = world;
    this.#checker = checker;
    this.#mutation = mutation;
    this.#send = send;
    this.start();
  }

  start(): void {
    if (this.#isUp) return;
    this.#isUp = true;
    this.#incarnation = 0;
    const life = ++this.#life;
    const beat = () => {
      if (life !== this.#life) return;
      if (this.#incarnation === 0) this.#hello(life);
      else this.#sync();
      this.#world.after(this.#world.random.between(SYNC_MS * 0.8, SYNC_MS * 1.2), beat);
    };
    beat();
  }

  /** The agent dies; its processes go on, and what it journaled is still there. */
  crash(): void {
    this.#isUp = false;
    this.#life++;
    if (this.#mutation === 'NO_JOURNAL') this.#journal.clear();
  }

  hear(message: ServerMessage): void {
    if (!this.#isUp) return;
    switch (message.type) {
      case 'WELCOME':
        if (message.bootId !== this.#life) return;
        if (message.incarnation > this.#incarnation) this.#incarnation = message.incarnation;
        this.#sync();
        break;
      case 'HINTS':
        if (message.incarnation === this.#incarnation) for (const hint of message.hints) this.#obey(hint);
        break;
      case 'ANSWER': {
        const { answer } = message;
        if (message.incarnation !== this.#incarnation || answer.seq <= this.#heardSeq) return;
        this.#heardSeq = answer.seq;
        if (answer.status !== 'OK') {
          this.#incarnation = 0;
          this.#hello(this.#life);
          return;
        }
        for (const spec of answer.assign) this.#obey({ type: 'ASSIGN', spec });
        for (const { attempt, cause } of answer.stop) this.#obey({ type: 'STOP', attempt, cause });
        for (const attempt of answer.forget) this.#obey({ type: 'FORGET', attempt });
        break;
      }
      default:
        message satisfies never;
    }
  }

  #hello(bootId: number): void {
    const known = [...this.#journal].filter(([, { isForgotten }]) => !isForgotten).map(([attempt]) => attempt);
    this.#send({ type: 'HELLO', facts: this.facts, known, bootId });
  }

  #sync(): void {
    const known: AttemptReport[] = [];
    for (const [attempt, { isForgotten, end }] of this.#journal) {
      if (!isForgotten) known.push(end ?? { attempt, state: 'RUNNING', at: this.#world.now });
    }
    this.#send({
      type: 'SYNC',
      message: { node: this.facts.name, incarnation: this.#incarnation, seq: ++this.#seq, known },
    });
  }

  #obey(hint: Hint): void {
    switch (hint.type) {
      case 'ASSIGN':
        this.#start(hint.spec);
        break;
      case 'STOP': {
        const process = this.#processes.get(hint.attempt);
        if (process) process.isStopped = true;
        break;
      }
      case 'FORGET': {
        const journaled = this.#journal.get(hint.attempt);
        // The id stays: an assignment of it may still be on its way.
        if (journaled?.end) journaled.isForgotten = true;
        break;
      }
      case 'SYNC_NOW':
        this.#sync();
        break;
      default:
        hint satisfies never;
    }
  }

  /** Keeps an end, and reports it while it can. */
  #tell(end: AttemptReport, journaled: Journaled): void {
    journaled.end = end;
    if (!this.#isUp || this.#incarnation === 0) return;
    this.#send({ type: 'REPORT', node: this.facts.name, incarnation: this.#incarnation, reports: [end] });
  }

  #start(spec: AttemptSpec): void {
    if (this.#journal.has(spec.attempt)) return;
    const journaled: Journaled = { isForgotten: false, end: null };
    this.#journal.set(spec.attempt, journaled);
    const { random } = this.#world;
    if (random.chance(Number(spec.with['rejectChance'] ?? 0))) {
      const reason = { code: 'NO_SPACE', message: 'There is no space.' };
      const at = this.#world.now;
      this.#tell(
        { attempt: spec.attempt, at, state: 'REJECTED', failure: { kind: 'INFRASTRUCTURE', reason } },
        journaled,
      );
      return;
    }
    this.#checker.processStarted(spec.attempt);
    const process = { isStopped: false };
    this.#processes.set(spec.attempt, process);
    const hasFailed = random.chance(Number(spec.with['failChance'] ?? 0));
    const isLost = hasFailed && random.chance(0.3);
    const startedAt = this.#world.now;
    const durationMs = random.chance(0.05) ? random.between(10_000, 90_000) : random.between(1, 3_000);
    const until = startedAt + durationMs;
    const look = () => {
      if (this.#world.now < until && !process.isStopped) {
        this.#world.after(Math.min(500, until - this.#world.now), look);
        return;
      }
      this.#processes.delete(spec.attempt);
      const at = this.#world.now;
      const base = { attempt: spec.attempt, at, startedAt };
      const how = process.isStopped ? 'KILLED' : !hasFailed ? 'SUCCEEDED' : isLost ? 'UNKNOWN' : 'FAILED';
      const lostKind = random.pick(['INFRASTRUCTURE', 'UNKNOWN'] as const);
      this.#checker.processEnded(spec.attempt, how);
      const reason = { code: how, message: how };
      const end: AttemptReport =
        how === 'SUCCEEDED'
          ? { ...base, state: 'SUCCEEDED', outputs: { parts: [1, 2, 3] } }
          : how === 'KILLED'
            ? { ...base, state: 'CANCELLED', failure: { kind: 'CANCELLED', reason } }
            : { ...base, state: 'FAILED', failure: { kind: isLost ? lostKind : 'APPLICATION', reason } };
      this.#tell(end, journaled);
    };
    look();
    if (this.#incarnation > 0) {
      const running: AttemptReport = { attempt: spec.attempt, state: 'RUNNING', at: startedAt };
      this.#send({ type: 'REPORT', node: this.facts.name, incarnation: this.#incarnation, reports: [running] });
    }
  }
}
