import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { AttemptSpec } from '../domain/effect.ts';
import type { AttemptReport } from '../domain/input.ts';
import type { NodeFacts } from '../domain/node.ts';
import type { Service } from '../lifecycle.ts';
import { DEFAULT_TIMERS, type Hint, type ProtocolTimers } from '../protocol/gateway.ts';
import type { AgentOptions } from './agent-options.ts';
import { Alarm } from './alarm.ts';
import { AttemptLedger, isEnd } from './attempt-ledger.ts';
import { DiskWatch, isNoSpace } from './disk-watch.ts';
import { bootId } from './boot-id.ts';
import { Executor } from './executor.ts';
import { fingerprint } from './fingerprint.ts';
import { firstNumberOf } from './first-number.ts';
import { Journal } from './journal.ts';
import type { Actions } from './ledger-actions.ts';
import { LogShipper } from './log-shipper.ts';
import { ProgressTeller } from './progress-teller.ts';
import { StateKeeper } from './state-keeper.ts';

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 5_000;
/** So soon an end is durable that nobody but the journal could tell again. */
const FLUSH_WITHIN_MS = 100;
/** How often runners are asked again what they can do. */
const DETECT_EVERY_MS = 60_000;
/** How often at most the disk is looked at before work is taken in. */
const LOOK_AT_DISK_EVERY_MS = 1_000;
/** How long a server that does not answer may hold up the end. */
const FAREWELL_MS = 2_000;

/**
 * The process on a node. It executes what the server assigns and tells what became of it. What is to be done says the
 * ledger; here it is done: journaled, started, stopped, told. Everything that happens in one turn of the event loop is
 * done together.
 */
export class Agent implements Service {
  readonly #options: AgentOptions;
  readonly #ledger: AttemptLedger;
  readonly #executor: Executor;
  readonly #shipper: LogShipper;
  readonly #progress: ProgressTeller;
  readonly #states: StateKeeper;
  readonly #alarm: Alarm;
  readonly #disk: DiskWatch;
  readonly #stopping = new AbortController();
  #journal: Journal | null = null;
  #incarnation = 0;
  #timers: ProtocolTimers = DEFAULT_TIMERS;
  #facts: NodeFacts | null = null;
  #hasNewFacts = false;
  #lookedAtDisk = -Infinity;
  #unlisten: () => void = () => undefined;
  #beating: Promise<void> | null = null;
  #syncing: Promise<void> | null = null;
  #accepting: Promise<void> | null = null;
  #assigned: AttemptSpec[] = [];
  #reporting: Promise<void> = Promise.resolve();
  #isTurning = false;
  #isFlushDue = false;
  #onIdle: (() => void) | null = null;
  #halting: Promise<void> | null = null;
  #hasStopped = false;

  constructor(options: AgentOptions) {
    const { gateway, clock, log, name } = options;
    this.#options = options;
    this.#disk = new DiskWatch(options.dataDirectory, options.diskReserve ?? 0, log);
    this.#ledger = new AttemptLedger({
      reattaches: (runner) => options.registry.runner(runner)?.reattach !== undefined,
      finds: (runner) => this.#finds(runner),
    });
    this.#shipper = new LogShipper((chunks) => gateway.log(name, this.#incarnation, chunks), clock, log);
    const firstNumber = () => firstNumberOf(this.#incarnation);
    this.#states = new StateKeeper(
      {
        firstNumber,
        saveState: (state) => gateway.saveState(name, this.#incarnation, state),
        previousState: (attempt) => gateway.previousState(name, this.#incarnation, attempt),
      },
      clock,
    );
    this.#progress = new ProgressTeller((told) => gateway.progress(name, this.#incarnation, told), clock);
    this.#alarm = new Alarm(clock, () => {
      this.#ledger.wake(clock.now(), clock.monotonic());
      this.#act();
    });
    this.#executor = new Executor({
      nodeName: name,
      dataDirectory: options.dataDirectory,
      settings: options.settings,
      clock,
      log,
      shipper: this.#shipper,
      states: this.#states,
      secrets: options.secrets,
      findRunner: (runner) => options.registry.runner(runner),
      firstNumber,
      running: (attempt) => {
        this.#ledger.running(attempt, clock.now(), clock.monotonic());
        this.#soon();
      },
      preparing: (attempt) => {
        this.#ledger.preparing(attempt, clock.monotonic());
        this.#soon();
      },
      settled: (attempt) => this.#ledger.settled(attempt),
      progress: (attempt, progress) => this.#progress.tell(attempt, progress),
      ended: (attempt, end) => {
        this.#progress.ended(attempt);
        this.#ledger.ended(attempt, this.#disk.blamedFor(end), clock.now());
        this.#soon();
      },
      checkpoint: async (spec, handle, startedAt) => {
        await this.#journal!.checkpoint(spec.attempt, handle, spec, startedAt);
        this.#ledger.checkpointed(spec.attempt);
      },
    });
  }

  /** Resolves when the server knows the node. */
  async start(): Promise<void> {
    if (this.#journal) return;
    const { dataDirectory, clock, log } = this.#options;
    await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
    const boot = await bootId();
    const { journal, open, tornBytes } = await Journal.open(join(dataDirectory, 'journal'), {
      boot,
      finds: (runner) => this.#finds(runner),
      onForgotten: (attempts) => this.#executor.forget(attempts),
    });
    this.#journal = journal;
    this.#executor.boot = boot;
    if (tornBytes > 0) log.warn({ tornBytes }, 'The journal ended in half a record, which was cut off.');
    this.#ledger.recover(open, clock.now(), clock.monotonic());
    await this.#hello();
    const known = new Set<string>(open.map(({ attempt }) => attempt));
    this.#executor.keep(open);
    void this.#executor.removeLeftovers((name) => known.has(name));
    this.#soon();
    await this.#sync();
    this.#beating = this.#beat();
  }

  /** Work that a restart can find again goes on; other work is stopped, and told so that it is tried again. */
  async stop(): Promise<void> {
    if (!this.#journal || this.#hasStopped) return;
    this.#hasStopped = true;
    const { gateway, registry, clock, log, name } = this.#options;
    this.#stopping.abort();
    await this.#withPatience(Promise.all([this.#beating, this.#syncing]));
    await (this.#halting ??= this.#halt(true));
    await this.#withPatience(this.#reporting);
    this.#unlisten();
    await this.#withPatience(gateway.goodbye(name, this.#incarnation));
    await this.#withPatience(this.#shipper.close());
    this.#progress.close();
    this.#states.close();
    this.#alarm.close();
    // Runners forget while they are still open.
    await this.#journal.flush().catch((error: unknown) => this.#cannotBeWritten(error));
    for (const runner of registry.names('runner')) {
      const close = registry.runner(runner)?.close;
      if (close) await close().catch((error: unknown) => log.warn({ err: error, runner }, 'A runner did not close.'));
    }
    await clock.turn();
    await this.#journal.close();
  }

  #finds(name: string): boolean {
    const runner = this.#options.registry.runner(name);
    return runner?.handleOf !== undefined && runner.reattach !== undefined;
  }

  /** Resolves when nothing runs that is not left running on purpose. @param mayLeave False when nothing is to go on. */
  async #halt(mayLeave: boolean): Promise<void> {
    this.#ledger.shutDown(mayLeave, this.#options.clock.monotonic());
    this.#act();
    await this.#accepting;
    if (!this.#ledger.isIdle) await new Promise<void>((resolve) => (this.#onIdle = resolve));
    this.#act();
  }

  /** Does what the ledger asks for at the end of this turn, once. */
  #soon(): void {
    if (this.#isTurning) return;
    this.#isTurning = true;
    void this.#options.clock.turn().then(() => {
      this.#isTurning = false;
      this.#ledger.turned(this.#options.clock.now());
      this.#act();
    });
  }

  #act(): void {
    const { accept, start, reattach, journalStop, stop, kill, abandon, report, forget } = this.#ledger.take();
    const executor = this.#executor;
    if (accept.length > 0) this.#accept(accept);
    for (const spec of start) executor.start(spec);
    for (const journaled of reattach) executor.reattach(journaled);
    if (journalStop.length > 0) void this.#journalStops(journalStop);
    for (const { attempt, reason } of stop) executor.stop(attempt, reason);
    for (const attempt of kill) executor.kill(attempt);
    for (const attempt of abandon) executor.abandon(attempt);
    if (report.length > 0) this.#report(report);
    let isKept = false;
    for (const attempt of forget) if (this.#journal!.forgotten(attempt)) isKept = true;
    // What a command wrote may hold secrets: it does not stay because nothing else is to be written.
    if (isKept && !this.#isFlushDue) void this.#flushSoon();
    if (start.length > 0 || reattach.length > 0) this.#soon();
    this.#alarm.set(this.#ledger.wakeAt);
    if (this.#ledger.isIdle) this.#onIdle?.();
  }

  #report(reports: readonly AttemptReport[]): void {
    const { gateway, log, name } = this.#options;
    let isLostWithUs = false;
    for (const report of reports) if (isEnd(report) && this.#journal!.ended(report)) isLostWithUs = true;
    // Of these ends, nobody but the journal could tell after a crash.
    if (isLostWithUs && !this.#isFlushDue) void this.#flushSoon();
    if (this.#incarnation === 0) return;
    // What gets lost is told again by the next sync.
    this.#reporting = gateway.report(name, this.#incarnation, reports).catch((error: unknown) => {
      log.debug({ err: error }, 'Reports were not taken in; the next sync repeats them.');
    });
  }

  /** A stop is durable before it is sent: what ends after it was stopped, whoever asks for the end. */
  async #journalStops(stops: Actions['journalStop']): Promise<void> {
    await this.#journal!.stopped(stops, this.#options.clock.now()).catch((error: unknown) =>
      this.#cannotBeWritten(error),
    );
    this.#ledger.stopJournaled(stops.map(({ attempt }) => attempt));
    this.#act();
  }

  /** Many ends share a flush, and most share one that comes anyway. */
  async #flushSoon(): Promise<void> {
    this.#isFlushDue = true;
    await this.#options.clock.sleep(FLUSH_WITHIN_MS, this.#stopping.signal).catch(() => undefined);
    this.#isFlushDue = false;
    await this.#journal!.flush().catch((error: unknown) => this.#cannotBeWritten(error));
  }

  #cannotBeWritten(error: unknown): void {
    this.#options.log.warn({ err: error }, 'The journal cannot be written.');
  }

  #accept(specs: readonly AttemptSpec[]): void {
    for (const spec of specs) this.#assigned.push(spec);
    this.#accepting ??= this.#journalAssigned().finally(() => (this.#accepting = null));
  }

  /** Journals, then starts. What is assigned meanwhile shares the next flush. */
  async #journalAssigned(): Promise<void> {
    const { clock, log } = this.#options;
    while (this.#assigned.length > 0) {
      const specs = this.#assigned;
      this.#assigned = [];
      // A look takes longer than a flush: one a second is enough where more is free than can be written in one.
      const isRecent = clock.monotonic() - this.#lookedAtDisk < LOOK_AT_DISK_EVERY_MS;
      if (!this.#disk.isRoomy || !isRecent) await this.#lookAtDisk();
      if (this.#disk.problem !== null) {
        this.#ledger.notJournaled(specs, this.#disk.problem, clock.now(), 'DISK_FULL');
        this.#act();
        continue;
      }
      try {
        await this.#journal!.accept(specs, clock.now());
        this.#ledger.journaled(specs, clock.now(), clock.monotonic());
      } catch (error) {
        log.error({ err: error }, 'The journal cannot be written: attempts are rejected.');
        const message = `The node’s journal cannot be written: ${(error as Error).message}`;
        this.#ledger.notJournaled(specs, message, clock.now(), isNoSpace(error) ? 'DISK_FULL' : 'JOURNAL_UNWRITABLE');
      }
      this.#act();
    }
  }

  #obey(hints: readonly Hint[]): void {
    const { clock } = this.#options;
    const specs: AttemptSpec[] = [];
    for (const hint of hints) {
      switch (hint.type) {
        case 'ASSIGN':
          specs.push(hint.spec);
          break;
        case 'STOP':
          // It may stop what the same message assigns.
          this.#ledger.assign(specs.splice(0), clock.now());
          this.#ledger.stop(hint.attempt, hint.cause, clock.monotonic());
          break;
        case 'FORGET':
          this.#ledger.forget(hint.attempt);
          break;
        case 'SYNC_NOW':
          void this.#sync();
          break;
        default:
          hint satisfies never;
      }
    }
    if (specs.length > 0) this.#ledger.assign(specs, clock.now());
    this.#act();
    if (this.#ledger.wantsSync) void this.#sync();
  }

  async #lookAround(): Promise<void> {
    const { registry, name, pool, labels, taints = [], capacity, dataDirectory, version } = this.#options;
    const runners = registry.names('runner').map((runner) => registry.runner(runner)!);
    const facts = await fingerprint({
      name,
      pool,
      labels,
      taints: [...taints, ...this.#disk.taints],
      capacity,
      dataDirectory,
      agentVersion: version,
      runners,
      nodeOf: (runner) => this.#executor.nodeOf(runner),
      // Free space comes and goes with the work: what was there at the start is what is given away.
      disk: this.#facts?.capacity['disk'] ?? null,
    });
    this.#hasNewFacts = this.#facts !== null && JSON.stringify(facts) !== JSON.stringify(this.#facts);
    this.#facts = facts;
  }

  /** Whether the disk has room is told at once: what is placed here meanwhile is rejected. */
  async #lookAtDisk(): Promise<void> {
    this.#lookedAtDisk = this.#options.clock.monotonic();
    if (!(await this.#disk.look()) || this.#facts === null) return;
    this.#facts = { ...this.#facts, taints: [...(this.#options.taints ?? []), ...this.#disk.taints] };
    this.#hasNewFacts = true;
    void this.#sync();
  }

  async #hello(): Promise<void> {
    const { gateway, clock, log, name } = this.#options;
    const { signal } = this.#stopping;
    await this.#disk.look();
    await this.#lookAround();
    for (let delayMs = FIRST_RETRY_MS; ; delayMs = Math.min(delayMs * 2, LAST_RETRY_MS)) {
      try {
        const known = this.#ledger.syncMessage().known.map(({ attempt }) => attempt);
        const { incarnation, timers } = await gateway.hello(this.#facts!, known);
        this.#incarnation = incarnation;
        this.#timers = timers;
        this.#hasNewFacts = false;
        this.#unlisten();
        this.#unlisten = gateway.listen(name, incarnation, (hints) => this.#obey(hints));
        return;
      } catch (error) {
        if (signal.aborted) throw error;
        log.warn({ err: error, node: name }, 'The server did not take in the hello; trying again.');
        await clock.sleep(delayMs * (0.8 + 0.4 * this.#options.random()), signal);
      }
    }
  }

  async #beat(): Promise<void> {
    const { clock, log, random } = this.#options;
    const { signal } = this.#stopping;
    let lookedAt = clock.monotonic();
    while (!signal.aborted) {
      await clock.sleep(this.#timers.syncMs * (0.8 + 0.4 * random()), signal).catch(() => undefined);
      if (signal.aborted) return;
      if (clock.monotonic() - lookedAt >= DETECT_EVERY_MS) {
        lookedAt = clock.monotonic();
        await this.#lookAround().catch((error: unknown) =>
          log.warn({ err: error }, 'The node could not be looked at.'),
        );
      }
      await this.#lookAtDisk();
      // An end that has not been written when the agent dies would have to be told as unknown.
      await this.#journal!.flush().catch((error: unknown) => this.#cannotBeWritten(error));
      await this.#sync();
    }
  }

  /** Says everything that is known and does what the answer says. One at a time; a failure is made up for by the next. */
  #sync(): Promise<void> {
    this.#syncing ??= this.#exchange()
      .catch((error: unknown) => {
        if (!this.#stopping.signal.aborted)
          this.#options.log.warn({ err: error }, 'A sync failed; the next one makes up for it.');
      })
      .finally(() => (this.#syncing = null));
    return this.#syncing;
  }

  async #exchange(): Promise<void> {
    const { gateway, clock, log, name } = this.#options;
    const incarnation = this.#incarnation;
    const facts = this.#hasNewFacts ? this.#facts : null;
    const message = { node: name, incarnation, ...this.#ledger.syncMessage(), ...(facts ? { facts } : {}) };
    const answer = await gateway.sync(message);
    if (incarnation !== this.#incarnation) return;
    if (facts === this.#facts) this.#hasNewFacts = false;
    switch (answer.status) {
      case 'OK':
        this.#ledger.answered(answer, clock.now(), clock.monotonic());
        this.#act();
        break;
      case 'UNKNOWN':
        await this.#hello();
        break;
      case 'SUPERSEDED':
        log.error({ node: name }, 'Another agent speaks for this node: this one stops everything and is silent.');
        this.#stopping.abort();
        this.#unlisten();
        this.#halting ??= this.#halt(false);
        break;
      default:
        answer.status satisfies never;
    }
  }

  /** Waits for the server, but not for ever. */
  async #withPatience(answer: Promise<unknown>): Promise<void> {
    const patience = new AbortController();
    const isLate = this.#options.clock.sleep(FAREWELL_MS, patience.signal).catch(() => undefined);
    await Promise.race([answer.catch(() => undefined), isLate]);
    patience.abort();
  }
}
