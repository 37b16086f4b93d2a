import type { Json } from '@gantry/plugin-kit/vocabulary';
import { isTerminalAttempt } from '../../server/domain/attempt.ts';
import type { AttemptSpec } from '../../server/domain/effect.ts';
import type { AttemptId } from '../../server/domain/ids.ts';
import type { AttemptReport } from '../../server/domain/input.ts';
import type { NodeFacts } from '../../server/domain/node.ts';
import {
  DEFAULT_TIMERS,
  type AttemptProgress,
  type AttemptSavedState,
  type HelloAnswer,
  type Hint,
  type NodeGateway,
  type NodeLogChunk,
  type SyncAnswer,
  type SyncMessage,
} from '../../server/protocol/gateway.ts';

/** A server that remembers what it is told, in order, and answers as a test wants it to. */
export class ScriptedGateway implements NodeGateway {
  /** Everything that came in, as words: `hello`, `report <attempt> <state>`, `lost …`, `log <attempt>`, `goodbye`. */
  readonly story: string[] = [];
  readonly hellos: { readonly facts: NodeFacts; readonly known: readonly AttemptId[] }[] = [];
  readonly syncs: SyncMessage[] = [];
  readonly reports: AttemptReport[] = [];
  readonly chunks: NodeLogChunk[] = [];
  /** What was told of progress, one list per message. */
  readonly progressed: (readonly AttemptProgress[])[] = [];
  /** What the next syncs are answered; OK with nothing to do when there is none. */
  readonly answers: Partial<SyncAnswer>[] = [];
  /** So many hellos are refused first. */
  refusedHellos = 0;
  /** States that were saved, oldest first. */
  readonly states: AttemptSavedState[] = [];
  /** What attempts before this one saved. */
  previous: (attempt: AttemptId) => Promise<Json> = () => Promise.resolve(null);
  /** Reports do not arrive. */
  losesReports = false;
  /** Output is not stored before this resolves. */
  storing: Promise<void> = Promise.resolve();
  #listener: (hints: readonly Hint[]) => void = () => undefined;
  #incarnation = 0;
  #waiters: { readonly isThere: () => boolean; readonly resolve: () => void }[] = [];

  hello(facts: NodeFacts, known: readonly AttemptId[]): Promise<HelloAnswer> {
    this.#tell('hello');
    if (this.refusedHellos-- > 0) return Promise.reject(new Error('the server is starting'));
    this.hellos.push({ facts, known });
    this.#look();
    return Promise.resolve({ incarnation: ++this.#incarnation, timers: DEFAULT_TIMERS });
  }
  sync(message: SyncMessage): Promise<SyncAnswer> {
    this.syncs.push(message);
    this.#look();
    const answer = this.answers.shift();
    return Promise.resolve({ status: 'OK', seq: message.seq, assign: [], stop: [], forget: [], ...answer });
  }
  report(_node: string, _incarnation: number, reports: readonly AttemptReport[]): Promise<void> {
    if (this.losesReports) {
      for (const { attempt, state } of reports) this.#tell(`lost ${attempt} ${state}`);
      return Promise.reject(new Error('the network is away'));
    }
    for (const report of reports) {
      this.reports.push(report);
      this.#tell(`report ${report.attempt} ${report.state}`);
    }
    return Promise.resolve();
  }
  async log(_node: string, _incarnation: number, chunks: readonly NodeLogChunk[]): Promise<void> {
    await this.storing;
    for (const chunk of chunks) {
      this.chunks.push(chunk);
      this.#tell(`log ${chunk.attempt}`);
    }
  }
  progress(_node: string, _incarnation: number, progress: readonly AttemptProgress[]): Promise<void> {
    this.progressed.push(progress);
    for (const { attempt } of progress) this.#tell(`progress ${attempt}`);
    return Promise.resolve();
  }
  async saveState(_node: string, _incarnation: number, saved: AttemptSavedState): Promise<void> {
    this.#tell(`state ${saved.attempt}`);
    await this.storing;
    this.states.push(saved);
    this.#tell(`stored state ${saved.attempt}`);
  }
  previousState(_node: string, _incarnation: number, attempt: AttemptId): Promise<Json> {
    this.#tell(`asked ${attempt}`);
    return this.previous(attempt);
  }
  listen(_node: string, _incarnation: number, listener: (hints: readonly Hint[]) => void): () => void {
    this.#listener = listener;
    return () => (this.#listener = () => undefined);
  }
  goodbye(): Promise<void> {
    this.#tell('goodbye');
    return Promise.resolve();
  }

  /** Tells the agent something, if it listens. */
  hint(...hints: readonly Hint[]): void {
    this.#listener(hints);
  }
  assign(...specs: readonly AttemptSpec[]): void {
    this.hint(...specs.map((spec) => ({ type: 'ASSIGN' as const, spec })));
  }

  /** Resolves when something is so; it is looked at after each message. */
  until(isThere: () => boolean): Promise<void> {
    if (isThere()) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ isThere, resolve }));
  }
  /** Resolves when this has been told. */
  heard(word: string): Promise<void> {
    return this.until(() => this.story.includes(word));
  }
  /** Resolves with the report of a state of an attempt. */
  async reported({ attempt }: AttemptSpec, isWanted: (report: AttemptReport) => boolean): Promise<AttemptReport> {
    const find = () => this.reports.find((report) => report.attempt === attempt && isWanted(report));
    await this.until(() => find() !== undefined);
    return find()!;
  }
  /** Resolves with the report that says how an attempt ended. */
  ended(spec: AttemptSpec): Promise<AttemptReport> {
    return this.reported(spec, ({ state }) => isTerminalAttempt(state));
  }
  running(spec: AttemptSpec): Promise<AttemptReport> {
    return this.reported(spec, ({ state }) => state === 'RUNNING');
  }

  #tell(word: string): void {
    this.story.push(word);
    this.#look();
  }
  #look(): void {
    const there = this.#waiters.filter(({ isThere }) => isThere());
    this.#waiters = this.#waiters.filter((waiter) => !there.includes(waiter));
    for (const { resolve } of there) resolve();
  }
}
