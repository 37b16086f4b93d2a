import { setTimeout as delay } from 'node:timers/promises';
import { followCommand, lookAtCommand, type CommandPaths } from '@gantry/plugin-kit/command-files';
import type { Attempt } from '@gantry/plugin-kit/runner';
import type { AttemptFiles } from './attempt-files.ts';
import { watchedLimits, type Bounds, type Exceeded } from './bounds.ts';
import type { Helper } from './helper.ts';
import { lastBegunIn, readJournal, type Found, type JournalEntry } from './journal.ts';
import { bootId, isAlive, lastPid, signal, stateOf, TICK_MS, type ProcessIdentity } from './process-table.ts';
import { endMembers, hasBegun, killMembers, leftOf, membersOf, type ProcessTree } from './process-tree.ts';
import { Tail } from './tail.ts';
import type { UsageLooks } from './usage-looks.ts';
import { UsageMeter, type Usage } from './usage-meter.ts';
import type { Watch } from './watch.ts';

/** A command that has lived this long is worth a checkpoint; a shorter one would only pay for it. Milliseconds. */
const CHECKPOINT_MS = 50;
/** How often a command is looked at that nobody will tell of. Milliseconds. */
const LOOK_MS = 50;
/** How often a command is looked at that is about to begin, and is to be stopped. Milliseconds. */
const BEGIN_MS = 2;

/** What a restarted agent has to know: journals do the rest. It could be made up from the attempt at any time. */
export interface Handle {
  readonly attempt: string;
  readonly [key: string]: string;
}
export const handleOf = (attempt: string): Handle => ({ attempt });

/** How a command ended, as far as anybody can know. */
export type End =
  /** A shell's status as text. `remark`: what the shell said of it. */
  | {
      readonly type: 'ENDED';
      readonly status: string;
      readonly remark: string;
      /** How often the kernel refused it a process or thread. */
      readonly refusedTaskCount?: number;
    }
  /** Because it went beyond a limit. `status` as above, where it was heard. */
  | { readonly type: 'EXCEEDED'; readonly what: Exceeded; readonly allowed: number; readonly status: string | null }
  /** By the hard stop. */
  | { readonly type: 'KILLED' }
  /** It was never started. */
  | { readonly type: 'NOT_STARTED' | 'REBOOTED' }
  /** It is gone, and nobody was there to learn how. */
  | { readonly type: 'UNKNOWN'; readonly remark: string };

/** What looks at all running commands. */
export interface Lookers {
  readonly watch: Watch;
  readonly looks: UsageLooks;
}

/** One command: its output followed, its processes signalled and ended, its end awaited. */
export class Command {
  readonly #attempt: Attempt<unknown, Handle>;
  readonly #bounds: Bounds;
  readonly #watch: Watch;
  readonly #looks: UsageLooks;
  readonly #stdout: Tail;
  readonly #stderr: Tail;
  readonly startedAt = performance.now();
  readonly #marks: readonly string[];
  readonly #paths: CommandPaths;
  #unfollow: (() => void) | null = null;
  #tree: ProcessTree | null = null;
  #meter: UsageMeter | null = null;
  /** Processor time as its helper knows it; null while nobody has said. */
  #waitedMs: number | null = null;
  /** The helper of a command that is followed from outside, or was lost. */
  #isHelperLost = false;
  #isCheckpointed = false;
  #isSeen = false;
  #isKilled = false;
  /** Whether it was signalled to end, in good order or not. */
  #isTold = false;
  #journalPath = '';
  #exceeded: Exceeded | null = null;
  #usage: Usage = {};
  #hasEnded = false;
  #isAlone = false;
  #killing: Promise<void> | null = null;
  readonly #onStop = () => void this.#softly();
  readonly #onKill = () => this.#hard();

  /** @param files Those of the helper that runs it. */
  constructor(attempt: Attempt<unknown, Handle>, files: AttemptFiles, bounds: Bounds, { watch, looks }: Lookers) {
    this.#attempt = attempt;
    this.#bounds = bounds;
    this.#watch = watch;
    this.#looks = looks;
    // The path, because a second node on this machine may use the same ids (in tests).
    this.#marks = [`GANTRY_ATTEMPT_ID=${attempt.id}`, `GANTRY_OUTPUT=${files.path('output')}`];
    this.#paths = { progress: files.path('progress'), checkpoint: files.path('checkpoint') };
    this.#stdout = new Tail(files.path('stdout'), () => attempt.stdout);
    this.#stderr = new Tail(files.path('stderr'), () => attempt.stderr);
  }

  /**
   * Starts it and resolves with its end, when nothing of it is left and all its output has been handed on. NOT_STARTED
   * when the helper had died before: it has done nothing, and another may.
   */
  async run(helper: Helper, line: string): Promise<End> {
    this.#begin(helper.pid, lastPid(), helper.journalPath);
    const end = new Promise<string | null>((resolve) => {
      helper.assign(line, { onEnd: resolve, onHelperLost: () => resolve(null) });
    });
    this.#listen();
    const status = await end;
    const waitedTicks = helper.takeWaitedTicks();
    if (waitedTicks !== null) this.#waitedMs = waitedTicks * TICK_MS;
    if (status !== null) {
      const remark = Number(status) > 128 ? (readJournal(helper.journalPath, this.#attempt.id)?.remark ?? '') : '';
      return this.#finish({ type: 'ENDED', status, remark });
    }
    this.#isHelperLost = true;
    const entry = readJournal(helper.journalPath, this.#attempt.id);
    if (entry === null && !this.#isKilled) {
      this.#unlisten();
      return { type: 'NOT_STARTED' };
    }
    return this.#finish(entry === null ? { type: 'KILLED' } : await this.#follow(helper.journalPath, entry.helper));
  }

  /** Follows one that an agent before has started. */
  async reattach({ path, entry }: Found): Promise<End> {
    this.#isCheckpointed = true;
    this.#begin(entry.helper.pid, null, path, () => lastBegunIn(path) === this.#attempt.id);
    this.#isHelperLost = !isAlive(entry.helper);
    if (entry.status === null && entry.helper.bootId !== bootId()) return this.#finish({ type: 'REBOOTED' });
    this.#listen();
    return this.#finish(await this.#follow(path, entry.helper));
  }

  /** What it has taken, as far as that is known, when it has ended. */
  get usage(): Usage {
    return this.#usage;
  }

  /** Whether it was asked to stop and had ended by itself before it heard of that. To be asked when it has ended. */
  get endedBeforeStop(): boolean {
    return this.#attempt.stop.aborted && !this.#isTold;
  }

  /** Whether the files of its output are empty and nobody has them open. To be asked when it has ended. */
  get hasLeftNoOutput(): boolean {
    return this.#isAlone && this.#stdout.seenBytes + this.#stderr.seenBytes === 0;
  }

  /** A look from the shared timer: output, that it runs, and whether a checkpoint is due. */
  look(): boolean {
    if (!this.#isSeen) {
      this.#isSeen = true;
      this.#attempt.started();
    }
    const isLong = performance.now() - this.startedAt >= CHECKPOINT_MS;
    if (isLong) this.#unfollow ??= followCommand(this.#paths, this.#attempt);
    if (!this.#isCheckpointed && isLong) {
      this.#isCheckpointed = true;
      // Should this not be written, the node cannot keep anything, and will say so itself.
      this.#attempt.checkpoint({ ...handleOf(this.#attempt.id), begun: 'yes' }).catch(() => undefined);
    }
    const hasOutput = this.#stdout.look();
    const hasComplaints = this.#stderr.look();
    if (this.#hasPrintedTooMuch()) this.#exceed('OUTPUT');
    // Where the kernel ends one process alone, the others might wait for it for ever.
    else if (this.#isOutOfMemory()) this.#exceed('MEMORY');
    return hasOutput || hasComplaints;
  }

  #begin(session: number, since: number | null, journalPath: string, ownsSession?: () => boolean): void {
    this.#journalPath = journalPath;
    this.#tree = {
      marks: this.#marks,
      session,
      since,
      sinceMs: performance.now(),
      group: this.#bounds.group,
      ...(ownsSession === undefined ? {} : { ownsSession }),
    };
    this.#meter = new UsageMeter(session, this.#marks[1]!);
  }

  #listen(): void {
    this.#watch.add(this);
    const isLimited = Object.keys(watchedLimits(this.#bounds)).length > 0;
    // A control group knows all by itself, on kernels that tell.
    if (isLimited || this.#bounds.group?.usage().peakMemoryBytes === undefined)
      this.#looks.add(this.#meter!, () => this.#checkLimits(), isLimited);
    const { stop, kill } = this.#attempt;
    stop.addEventListener('abort', this.#onStop, { once: true });
    kill.addEventListener('abort', this.#onKill, { once: true });
    if (kill.aborted) this.#hard();
    else if (stop.aborted) void this.#softly();
  }

  #unlisten(): void {
    this.#watch.remove(this);
    if (this.#unfollow) this.#unfollow();
    else lookAtCommand(this.#paths, this.#attempt);
    this.#looks.remove(this.#meter!);
    this.#attempt.stop.removeEventListener('abort', this.#onStop);
    this.#attempt.kill.removeEventListener('abort', this.#onKill);
  }

  async #softly(): Promise<void> {
    const tree = this.#tree!;
    if (this.#hasEnded) return;
    // Should a hard stop follow, what the helper has waited for goes with it: this may be the last that can be known.
    if (tree.group === null) this.#meter!.note(membersOf(tree).flatMap((pid) => stateOf(pid) ?? []));
    while (!this.#isHelperLost && !hasBegun(tree)) {
      await delay(BEGIN_MS);
      if (this.#hasEnded || this.#isKilled) return;
    }
    const members = membersOf(tree);
    // It may have ended by itself, and its helper is about to say so: what it has left behind is ended anyway.
    const status = readJournal(this.#journalPath, this.#attempt.id)?.status ?? null;
    if (members.length === 0 || status !== null) return;
    this.#isTold = true;
    // A process that is stopped takes the one when it is told to go on by the other.
    for (const name of ['SIGTERM', 'SIGCONT'] as const) {
      if (this.#isHelperLost) for (const pid of membersOf(tree)) signal(pid, name);
      else signal(-tree.session, name);
    }
  }

  #checkLimits(): void {
    const { memoryBytes = Infinity, taskCount = Infinity } = watchedLimits(this.#bounds);
    if (this.#meter!.hasMoreThan(memoryBytes)) this.#exceed('MEMORY');
    else if (this.#meter!.taskCount > taskCount) this.#exceed('TASKS');
  }

  #hasPrintedTooMuch(): boolean {
    const { maxOutputBytes } = this.#bounds;
    return maxOutputBytes !== null && this.#stdout.seenBytes + this.#stderr.seenBytes > maxOutputBytes;
  }

  /** Whether the kernel has ended one of its processes. */
  #isOutOfMemory(): boolean {
    const { limits, group } = this.#bounds;
    return group !== null && limits.memoryBytes !== undefined && group.outOfMemoryCount() > 0;
  }

  #exceed(what: Exceeded): void {
    if (this.#isKilled || this.#hasEnded) return;
    this.#exceeded = what;
    this.#hard();
  }

  /** The helper is in the group and dies with it: nothing of the attempt can be missed, or come after. */
  #hard(): void {
    const { session } = this.#tree!;
    this.#isKilled = true;
    this.#isTold = true;
    if (!this.#isHelperLost) signal(-session, 'SIGKILL');
    this.#killing ??= killMembers(this.#tree!);
  }

  /** Nobody will tell: looks until the helper has written its end, or until the command is gone. */
  async #follow(path: string, helper: ProcessIdentity): Promise<End> {
    let command: ProcessIdentity | null = null;
    for (;;) {
      // In this order: a helper writes before it ends.
      const isHelperAlive = isAlive(helper);
      const entry: JournalEntry | null = readJournal(path, this.#attempt.id);
      if (entry && entry.status !== null) {
        this.#waitedMs ??= entry.cpuMs;
        return { type: 'ENDED', status: entry.status, remark: entry.remark };
      }
      if (!isHelperAlive) {
        this.#isHelperLost = true;
        command ??= this.#firstMember();
        if (command === null || !isAlive(command)) {
          if (this.#isKilled) return { type: 'KILLED' };
          return { type: 'UNKNOWN', remark: entry?.remark ?? '' };
        }
      }
      await delay(LOOK_MS);
    }
  }

  /** The command itself is the oldest of its processes. */
  #firstMember(): ProcessIdentity | null {
    const states = membersOf(this.#tree!).flatMap((pid) => stateOf(pid) ?? []);
    const first = states.sort((a, b) => a.startTicks - b.startTicks || a.pid - b.pid)[0];
    return first ? { pid: first.pid, startTicks: first.startTicks, bootId: bootId() } : null;
  }

  /** Nothing of it is left, and all that it printed has been handed on. */
  async #finish(end: End): Promise<End> {
    this.#hasEnded = true;
    const isHere = end.type !== 'REBOOTED';
    if (isHere && !this.#isKilled) {
      const { members, isNobodyElse } = leftOf(this.#tree!);
      this.#isAlone = isNobodyElse;
      if (members.length > 0) {
        this.#meter!.note(members.flatMap((pid) => stateOf(pid) ?? []));
        this.#noteLeftBehind(await endMembers(this.#tree!, members));
      }
    }
    if (this.#killing) await this.#killing;
    this.#unlisten();
    const rest = this.#stdout.finish();
    if (rest) await rest;
    const complaints = this.#stderr.finish();
    if (complaints) await complaints;
    const verdict = this.#verdict(end);
    const { group } = this.#bounds;
    this.#usage = { ...this.#meter!.usage(this.#waitedMs), ...(isHere ? group?.usage() : {}) };
    await group?.remove();
    return verdict;
  }

  #verdict(end: End): End {
    const { limits, group, maxOutputBytes } = this.#bounds;
    const status = end.type === 'ENDED' ? end.status : null;
    const exceeded = (what: Exceeded, allowed: number): End => ({ type: 'EXCEEDED', what, allowed, status });
    if (this.#exceeded === 'OUTPUT' || this.#hasPrintedTooMuch()) return exceeded('OUTPUT', maxOutputBytes!);
    if (this.#exceeded === 'MEMORY' && status === null) return exceeded('MEMORY', limits.memoryBytes!);
    if (this.#exceeded === 'TASKS' && status === null) return exceeded('TASKS', limits.taskCount!);
    if (status !== '0' && this.#isOutOfMemory()) return exceeded('MEMORY', limits.memoryBytes!);
    if (end.type !== 'ENDED') return this.#isKilled ? { type: 'KILLED' } : end;
    const refusedTaskCount = status === '0' ? 0 : (group?.refusedTaskCount() ?? 0);
    return refusedTaskCount > 0 ? { ...end, refusedTaskCount } : end;
  }

  #noteLeftBehind(count: number): void {
    if (count === 0) return;
    const what = count === 1 ? '1 process was' : `${count} processes were`;
    this.#attempt.stderr.write(`gantry: ${what} left behind by the command and ended.\n`);
  }
}
