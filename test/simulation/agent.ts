import type { End } from '../../server/agent/attempt-end.ts';
import { AttemptLedger, isEnd } from '../../server/agent/attempt-ledger.ts';
import type { JournaledAttempt } from '../../server/agent/journaled-attempt.ts';
import type { Actions } from '../../server/agent/ledger-actions.ts';
import type { AttemptSpec } from '../../server/domain/effect.ts';
import type { AttemptId } from '../../server/domain/ids.ts';
import type { NodeFacts } from '../../server/domain/node.ts';
import type { Hint } from '../../server/protocol/gateway.ts';
import type { Checker } from './checker.ts';
import type { Mutation } from './mutations.ts';
import { SimulatedProcesses } from './processes.ts';
import type { NodeMessage, ServerMessage } from './server.ts';
import type { World } from './world.ts';

const SYNC_MS = 5_000;
/** After that, a command that runs has been seen at work. */
const SEEN_MS = 5;

/** A node: the production ledger in an agent that may crash and come back, a disk, and processes that may outlive it. */
export class SimulatedAgent {
  readonly facts: NodeFacts;
  readonly #world: World;
  readonly #mutation: Mutation | null;
  readonly #send: (message: NodeMessage) => void;
  /** What is durable of the journal. */
  readonly #disk = new Map<AttemptId, JournaledAttempt>();
  /** How long this node's disk takes for a flush. */
  readonly #flushMs: number;
  readonly #processes: SimulatedProcesses;
  #ledger = new AttemptLedger();
  /** Attempts that this life of the agent has started or found again. */
  readonly #followed = new Set<AttemptId>();
  #isUp = false;
  #life = 0;
  #incarnation = 0;
  #alarmAt = 0;

  constructor(
    facts: NodeFacts,
    world: World,
    checker: Checker,
    mutation: Mutation | null,
    send: (message: NodeMessage) => void,
  ) {
    this.facts = facts;
    this.#world = world;
    this.#mutation = mutation;
    this.#send = send;
    this.#flushMs = world.random.pick([1, 10, 1_000]);
    this.#processes = new SimulatedProcesses(world, checker, (attempt, end) => this.#ended(attempt, end));
    this.start();
  }

  start(): void {
    if (this.#isUp) return;
    this.#isUp = true;
    this.#incarnation = 0;
    this.#alarmAt = 0;
    const life = ++this.#life;
    const canFind = (runner: string): boolean => runner === 'finder' && this.#mutation !== 'HANDLE_OF_NOT_ASKED';
    this.#ledger = new AttemptLedger({ reattaches: canFind, finds: canFind });
    const open = [...this.#disk.values()].map((known) => ({ ...known }));
    this.#ledger.recover(open, this.#world.now, this.#world.now);
    this.#act();
    const beat = () => {
      if (life !== this.#life) return;
      if (this.#incarnation === 0) this.#hello(life);
      else this.#sync();
      this.#world.after(this.#world.random.between(SYNC_MS * 0.8, SYNC_MS * 1.2), beat);
    };
    beat();
  }

  /** The agent dies; its processes go on where their runner finds them again, and what is durable is still there. */
  crash(): void {
    if (!this.#isUp) return;
    this.#isUp = false;
    this.#life++;
    this.#followed.clear();
    this.#processes.agentDied();
    if (this.#mutation === 'NO_JOURNAL') this.#disk.clear();
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
        if (message.incarnation !== this.#incarnation) return;
        if (answer.status !== 'OK') {
          this.#incarnation = 0;
          this.#hello(this.#life);
          return;
        }
        this.#ledger.answered(answer, this.#world.now, this.#world.now);
        break;
      }
      default:
        message satisfies never;
    }
    this.#act();
  }

  #hello(bootId: number): void {
    const known = this.#ledger.syncMessage().known.map(({ attempt }) => attempt);
    this.#send({ type: 'HELLO', facts: this.facts, known, bootId });
  }

  #sync(): void {
    const message = { node: this.facts.name, incarnation: this.#incarnation, ...this.#ledger.syncMessage() };
    this.#send({ type: 'SYNC', message });
  }

  #obey(hint: Hint): void {
    const { now } = this.#world;
    switch (hint.type) {
      case 'ASSIGN':
        this.#ledger.assign([hint.spec], now);
        break;
      case 'STOP':
        this.#ledger.stop(hint.attempt, hint.cause, now);
        break;
      case 'FORGET':
        this.#ledger.forget(hint.attempt);
        break;
      case 'SYNC_NOW':
        this.#sync();
        break;
      default:
        hint satisfies never;
    }
  }

  /** Does what the ledger asks for, as the agent does. */
  #act(): void {
    const { accept, start, reattach, journalStop, stop, kill, report, forget } = this.#ledger.take();
    if (accept.length > 0) this.#accept(accept);
    for (const spec of start) {
      // With the planted bug it has been begun before.
      const end = this.#mutation === 'START_BEFORE_JOURNAL' ? this.#processes.endOf(spec.attempt) : null;
      if (end === null) this.#start(spec);
      else if (end !== 'RUNNING') this.#ended(spec.attempt, end);
    }
    for (const known of reattach) this.#reattach(known);
    if (journalStop.length > 0) this.#journalStops(journalStop);
    for (const { attempt } of stop) this.#processes.stop(attempt);
    for (const attempt of kill) this.#processes.stop(attempt);
    if (report.length > 0) this.#report(report);
    if (forget.length > 0) this.#forget(forget);
    if (start.length > 0 || reattach.length > 0) this.#whenAlive(0, () => this.#ledger.turned(this.#world.now));
    this.#setAlarm();
  }

  #setAlarm(): void {
    const { wakeAt } = this.#ledger;
    const { now } = this.#world;
    if (wakeAt === null || (this.#alarmAt > now && this.#alarmAt <= wakeAt)) return;
    this.#alarmAt = Math.max(wakeAt, now + 1);
    this.#whenAlive(this.#alarmAt - now, () => this.#ledger.wake(this.#world.now, this.#world.now));
  }

  #accept(assigned: readonly AttemptSpec[]): void {
    const { random } = this.#world;
    const rejected = assigned.filter((spec) => random.chance(Number(spec.with['rejectChance'] ?? 0)));
    if (rejected.length > 0) this.#ledger.notJournaled(rejected, 'There is no space.', this.#world.now, 'DISK_FULL');
    const specs = assigned.filter((spec) => !rejected.includes(spec));
    // The planted bug: what is to be durable first is begun at once.
    if (this.#mutation === 'START_BEFORE_JOURNAL') for (const spec of specs) this.#start(spec);
    this.#whenAlive(this.#flushMs, () => {
      const { now } = this.#world;
      for (const { attempt, runner, taskKey, timeoutMs, killGraceMs } of specs)
        this.#disk.set(attempt, { attempt, runner, taskKey, timeoutMs, killGraceMs, acceptedAt: now, boot: 'boot' });
      this.#ledger.journaled(specs, now, now);
    });
  }

  #start(spec: AttemptSpec): void {
    this.#followed.add(spec.attempt);
    this.#processes.start(spec);
    this.#whenAlive(SEEN_MS, () => this.#seen(spec.attempt));
  }

  #seen(attempt: AttemptId): void {
    if (this.#processes.isRunning(attempt)) this.#ledger.running(attempt, this.#world.now, this.#world.now);
  }

  /** What a runner does that finds its work by the attempt's id. */
  #reattach({ attempt }: JournaledAttempt): void {
    this.#followed.add(attempt);
    const end = this.#processes.endOf(attempt);
    if (end === 'RUNNING') this.#whenAlive(SEEN_MS, () => this.#seen(attempt));
    else if (end === null) {
      const failure = { kind: 'INFRASTRUCTURE' as const, reason: { code: 'NOT_STARTED', message: 'It never began.' } };
      this.#whenAlive(1, () => this.#ledger.ended(attempt, { state: 'REJECTED', failure }, this.#world.now));
    } else if (this.#mutation === 'ENDED_STARTED_AGAIN') this.#processes.startAgain(attempt);
    else this.#whenAlive(1, () => this.#ledger.ended(attempt, end, this.#world.now));
  }

  #ended(attempt: AttemptId, end: End): void {
    if (!this.#isUp || !this.#followed.has(attempt)) return;
    // The planted bug: whoever ends well has done its work.
    const told = this.#mutation === 'STOPPED_IS_SUCCESS' ? { ...end, endedBeforeStop: true } : end;
    this.#ledger.ended(attempt, told, this.#world.now);
    this.#act();
  }

  #journalStops(stops: Actions['journalStop']): void {
    const at = this.#world.now;
    this.#whenAlive(this.#flushMs, () => {
      for (const { attempt, reason } of stops) {
        const known = this.#disk.get(attempt);
        if (known) known.stop ??= { reason, at };
      }
      this.#ledger.stopJournaled(stops.map(({ attempt }) => attempt));
    });
  }

  #report(reports: Actions['report']): void {
    const ends = reports.filter(isEnd);
    if (ends.length > 0)
      this.#whenAlive(this.#flushMs, () => {
        for (const end of ends) {
          const known = this.#disk.get(end.attempt);
          if (known) known.end = end;
        }
      });
    if (this.#incarnation > 0)
      this.#send({ type: 'REPORT', node: this.facts.name, incarnation: this.#incarnation, reports });
  }

  #forget(attempts: readonly AttemptId[]): void {
    this.#whenAlive(this.#flushMs, () => {
      for (const attempt of attempts) {
        this.#disk.delete(attempt);
        this.#processes.forget(attempt);
      }
    });
  }

  /** Does something later, unless the agent has died by then. */
  #whenAlive(ms: number, happen: () => void): void {
    const life = this.#life;
    this.#world.after(ms, () => {
      if (life !== this.#life) return;
      happen();
      this.#act();
    });
  }
}
