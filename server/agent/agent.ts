import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Resources } from '@gantry/plugin-kit/vocabulary';
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { isTerminalAttempt } from '../domain/attempt.ts';
import type { AttemptSpec } from '../domain/effect.ts';
import type { AttemptId } from '../domain/ids.ts';
import type { AttemptReport } from '../domain/input.ts';
import type { RunnerSettings } from '../domain/node.ts';
import type { Service } from '../lifecycle.ts';
import type { Registry } from '../plugin-host/registry.ts';
import { DEFAULT_TIMERS, type Hint, type NodeGateway, type ProtocolTimers } from '../protocol/gateway.ts';
import { AttemptLedger } from './attempt-ledger.ts';
import { Executor } from './executor.ts';
import { fingerprint } from './fingerprint.ts';
import { Journal, type JournaledAttempt } from './journal.ts';
import { LogShipper } from './log-shipper.ts';

export interface AgentOptions {
  readonly gateway: NodeGateway;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly log: Logger;
  /** For jitter: at least 0, less than 1. */
  random(): number;
  readonly name: string;
  readonly pool: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly capacity: Resources;
  readonly settings: RunnerSettings;
  readonly dataDirectory: string;
  readonly version: string;
}

const HELLO_RETRY_MS = 500;

/**
 * The process on a node. It executes what the server assigns and tells what became of it. Before anything is started
 * its journal says so durably (I5); every end is told until the server says that it is durable, too.
 */
export class Agent implements Service {
  readonly #options: AgentOptions;
  readonly #ledger = new AttemptLedger();
  readonly #executor: Executor;
  readonly #shipper: LogShipper;
  readonly #stopping = new AbortController();
  #journal: Journal | null = null;
  #incarnation = 0;
  #timers: ProtocolTimers = DEFAULT_TIMERS;
  #seq = 0;
  #unlisten: () => void = () => undefined;
  #beating: Promise<void> | null = null;
  #isSyncing = false;
  #reports: AttemptReport[] = [];
  #assigned: AttemptSpec[] = [];
  #accepting: Promise<void> | null = null;

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#shipper = new LogShipper(
      (chunks) => options.gateway.log(options.name, this.#incarnation, chunks),
      options.clock,
    );
    this.#executor = new Executor({
      nodeName: options.name,
      dataDirectory: options.dataDirectory,
      settings: options.settings,
      clock: options.clock,
      log: options.log,
      shipper: this.#shipper,
      findRunner: (name) => options.registry.runner(name),
      report: (report) => this.#report(report),
      checkpoint: (attempt, handle) => this.#journal!.checkpoint(attempt, handle),
    });
  }

  /** Resolves when the server knows the node. */
  async start(): Promise<void> {
    if (this.#journal) return;
    const { dataDirectory } = this.#options;
    await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
    const { journal, open } = await Journal.open(join(dataDirectory, 'journal'));
    this.#journal = journal;
    for (const { attempt, acceptedAt, end } of open)
      this.#ledger.recover(end ?? { attempt, state: 'RUNNING', at: acceptedAt, startedAt: acceptedAt });
    await this.#hello(open.map(({ attempt }) => attempt));
    for (const journaled of open) this.#takeUp(journaled);
    this.#sendReports();
    await this.#sync();
    this.#beating = this.#beat();
  }

  async stop(): Promise<void> {
    if (!this.#journal || this.#stopping.signal.aborted) return;
    this.#stopping.abort();
    await this.#beating;
    await this.#executor.shutDown();
    this.#sendReports();
    await this.#options.clock.turn();
    this.#unlisten();
    await this.#options.gateway.goodbye(this.#options.name, this.#incarnation).catch(() => undefined);
    for (const name of this.#options.registry.names('runner')) await this.#options.registry.runner(name)?.close?.();
    await this.#journal.close();
  }

  async #facts() {
    const { registry, name, pool, labels, capacity, dataDirectory, version } = this.#options;
    const runners = registry.names('runner').map((runner) => registry.runner(runner)!);
    return fingerprint({ name, pool, labels, capacity, dataDirectory, agentVersion: version, runners });
  }

  async #hello(known: readonly AttemptId[]): Promise<void> {
    const { gateway, clock, log, name } = this.#options;
    const facts = await this.#facts();
    for (;;) {
      try {
        const { incarnation, timers } = await gateway.hello(facts, known);
        this.#incarnation = incarnation;
        this.#timers = timers;
        this.#unlisten();
        this.#unlisten = gateway.listen(name, incarnation, (hints) => this.#obey(hints));
        return;
      } catch (error) {
        log.warn({ err: error, node: name }, 'The server did not take in the hello; trying again.');
        await clock.sleep(HELLO_RETRY_MS, this.#stopping.signal);
      }
    }
  }

  /** What the journal says was begun: its runner finds it again, or it is honestly reported as lost. */
  #takeUp(journaled: JournaledAttempt): void {
    if (journaled.end) {
      this.#reports.push(journaled.end);
      return;
    }
    if (this.#executor.reattach(journaled)) return;
    const message = `The agent was restarted while the attempt ran, and the runner ${journaled.runner} cannot tell what became of it.`;
    this.#report({
      attempt: journaled.attempt,
      state: 'FAILED',
      at: this.#options.clock.now(),
      startedAt: journaled.acceptedAt,
      failure: { kind: 'INFRASTRUCTURE', reason: { code: 'START_UNKNOWN', message } },
    });
  }

  #obey(hints: readonly Hint[]): void {
    const specs: AttemptSpec[] = [];
    for (const hint of hints) {
      switch (hint.type) {
        case 'ASSIGN':
          specs.push(hint.spec);
          break;
        case 'STOP':
          this.#executor.stop(hint.attempt, hint.cause);
          break;
        case 'FORGET':
          this.#forget(hint.attempt);
          break;
        case 'SYNC_NOW':
          void this.#sync();
          break;
        default:
          hint satisfies never;
      }
    }
    if (specs.length > 0) this.#takeOn(specs);
    if (this.#ledger.wantsSync) void this.#sync();
  }

  #forget(attempt: AttemptId): void {
    if (this.#ledger.forget(attempt)) this.#journal!.forgotten(attempt);
  }

  #takeOn(specs: readonly AttemptSpec[]): void {
    if (this.#stopping.signal.aborted) return;
    for (const spec of this.#ledger.takeOn(specs, this.#options.clock.now())) this.#assigned.push(spec);
    if (this.#assigned.length > 0) this.#accepting ??= this.#accept().finally(() => (this.#accepting = null));
  }

  /** Journals, then starts. What is assigned meanwhile shares the next flush. */
  async #accept(): Promise<void> {
    while (this.#assigned.length > 0) {
      const specs = this.#assigned;
      this.#assigned = [];
      try {
        await this.#journal!.accept(specs, this.#options.clock.now());
      } catch (error) {
        this.#options.log.error({ err: error }, 'The journal cannot be written: attempts are rejected.');
        for (const spec of specs)
          this.#reject(spec, `The node's journal cannot be written: ${(error as Error).message}`);
        continue;
      }
      for (const spec of specs) this.#executor.start(spec);
    }
  }

  #reject({ attempt }: AttemptSpec, message: string): void {
    this.#report({
      attempt,
      state: 'REJECTED',
      at: this.#options.clock.now(),
      failure: { kind: 'INFRASTRUCTURE', reason: { code: 'JOURNAL_UNWRITABLE', message } },
    });
  }

  #report(report: AttemptReport): void {
    if (!this.#ledger.record(report)) return;
    if (isTerminalAttempt(report.state)) this.#journal!.ended(report);
    this.#reports.push(report);
    if (this.#reports.length === 1) setImmediate(() => this.#sendReports());
  }

  #sendReports(): void {
    if (this.#reports.length === 0) return;
    const reports = this.#reports;
    this.#reports = [];
    // What gets lost is told again by the next sync.
    this.#options.gateway.report(this.#options.name, this.#incarnation, reports).catch((error: unknown) => {
      this.#options.log.debug({ err: error }, 'Reports were not taken in; the next sync repeats them.');
    });
  }

  async #beat(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const jitter = 0.8 + 0.4 * this.#options.random();
      await this.#options.clock.sleep(this.#timers.syncMs * jitter, signal).catch(() => undefined);
      if (!signal.aborted) await this.#sync();
    }
  }

  /** Says everything that is known and does what the answer says. One at a time; a failure is made up for by the next. */
  async #sync(): Promise<void> {
    if (this.#isSyncing) return;
    this.#isSyncing = true;
    try {
      const { gateway, name } = this.#options;
      const answer = await gateway.sync({
        node: name,
        incarnation: this.#incarnation,
        seq: ++this.#seq,
        known: this.#ledger.known(),
      });
      if (answer.status === 'SUPERSEDED') {
        this.#options.log.error({ node: name }, 'Another agent speaks for this node: this one stops.');
        this.#stopping.abort();
        await this.#executor.shutDown();
        return;
      }
      if (answer.status === 'UNKNOWN') {
        await this.#hello(this.#ledger.known().map(({ attempt }) => attempt));
        return;
      }
      this.#ledger.answered();
      for (const { attempt, cause } of answer.stop) this.#executor.stop(attempt, cause);
      for (const attempt of answer.forget) this.#forget(attempt);
      if (answer.assign.length > 0) this.#takeOn(answer.assign);
    } catch (error) {
      this.#options.log.warn({ err: error }, 'A sync failed; the next one makes up for it.');
    } finally {
      this.#isSyncing = false;
    }
  }
}
