import { isTerminalAttempt, type Attempt } from '../../server/domain/attempt.ts';
import type { Change, StoredTaskRun } from '../../server/domain/change.ts';
import type { PipelineDefinition } from '../../server/domain/pipeline.ts';
import { isTerminalRun, type Run } from '../../server/domain/run.ts';
import { isActiveTaskRun, isTerminalTaskRun } from '../../server/domain/task-run.ts';

/** A promise of reliability.md §2 that a history has broken. */
export class Broken extends Error {
  override readonly name = 'Broken';
  readonly invariant: string;
  constructor(invariant: string, message: string) {
    super(`${invariant}: ${message}`);
    this.invariant = invariant;
  }
}

/** How a process ended. UNKNOWN: the machine cannot tell what it has done. */
/** KILLED: it died with its agent. STOPPED: its agent stopped it, which may be followed by another try. */
export type ProcessEnd = 'SUCCEEDED' | 'FAILED' | 'KILLED' | 'STOPPED' | 'UNKNOWN';

/** How many times a task run may be lost before it is given up, stated here again: the checker trusts no code of the engine. */
const LOSSES_ALLOWED = 3;

/**
 * Watches what becomes durable and what the machines really do. It knows the rules from the specification, not from
 * the engine: it compares each commit with the images before it, and the store with the processes that ran.
 */
export class Checker {
  readonly runs = new Map<string, Run>();
  readonly taskRuns = new Map<string, StoredTaskRun>();
  readonly #definitions = new Map<string, PipelineDefinition>();
  readonly #capacity = new Map<string, Readonly<Record<string, number>>>();
  readonly #ordinals = new Map<string, Set<number>>();
  readonly #active = new Set<string>();
  readonly #runOfKey = new Map<number, string>();
  /** Attempt id → how its process ended; null while it runs. */
  readonly #processes = new Map<string, ProcessEnd | null>();
  /** Per task run: attempts that ended before they began, or were given up before any start of theirs was reported. */
  readonly #free = new Map<string, number>();
  /** Attempts whose processes outlive their agent, and attempts that the engine has given up. */
  readonly #findable = new Set<string>();
  readonly #lost = new Set<string>();
  #epoch = 0;
  #seq = 0;
  runEnds = 0;

  nodeIs(name: string, capacity: Readonly<Record<string, number>>): void {
    this.#capacity.set(name, capacity);
  }

  definitionIs(run: string, definition: PipelineDefinition): void {
    this.#definitions.set(run, definition);
  }

  /** A machine starts a process for an attempt. @param isFindable Whether a restarted agent finds it again. */
  processStarted(attempt: string, isFindable: boolean): void {
    if (this.#processes.has(attempt)) throw new Broken('I5', `attempt ${attempt} was started twice`);
    const [run, ordinal, number] = attempt.split('.');
    const stored = this.taskRuns.get(`${run}.${ordinal}`);
    for (let before = 1; before < Number(number); before++) this.#checkDone(`${run}.${ordinal}.${before}`);
    if (isFindable) this.#findable.add(attempt);
    if (!stored?.attempt || stored.attempt.number < Number(number)) {
      throw new Broken('I5', `attempt ${attempt} was started and is not in the store`);
    }
    this.#checkNotRepeated(`${run}.${ordinal}`, Number(number), stored);
    this.#processes.set(attempt, null);
  }

  /** Work that has ended is not done again, and what is at work is not done beside it; but for what was given up as lost. */
  #checkDone(attempt: string): void {
    if (!this.#findable.has(attempt) || this.#lost.has(attempt)) return;
    const how = this.#processes.get(attempt);
    if (how === 'SUCCEEDED') throw new Broken('I5', `what attempt ${attempt} had done is done again`);
    if (how === null) throw new Broken('I5', `what attempt ${attempt} is doing is begun beside it`);
  }

  /** What must not be done twice is begun again only after it failed for everybody to know. */
  #checkNotRepeated(id: string, number: number, { run, taskKey }: StoredTaskRun): void {
    const task = this.#definitions.get(run)!.tasks.find(({ key }) => key === taskKey)!;
    if (task.with['idempotent'] !== false) return;
    for (let before = 1; before < number; before++) {
      const how = this.#processes.get(`${id}.${before}`);
      if (how !== undefined && how !== 'FAILED' && how !== 'STOPPED')
        throw new Broken('I16', `task run ${id} was begun again; its attempt ${before} ${how ?? 'still ran'}`);
    }
  }

  processEnded(attempt: string, how: ProcessEnd): void {
    this.#processes.set(attempt, how);
  }

  /** A commit is about to become durable. */
  committed(epoch: number, seq: number, change: Change): void {
    if (epoch < this.#epoch) throw new Broken('I8', `a write of epoch ${epoch} after the takeover by ${this.#epoch}`);
    this.#epoch = epoch;
    if (seq !== this.#seq + 1) throw new Broken('I8', `sequence ${seq} follows ${this.#seq}`);
    this.#seq = seq;
    const runs = [...change.createdRuns, ...change.changedRuns, ...change.countedRuns];
    for (const run of runs) this.#checkRun(run);
    const written = [...change.createdTaskRuns, ...change.changedTaskRuns];
    const images = [...written, ...this.#logged(change)];
    const begun = images.filter((taskRun) => this.#checkTaskRun(taskRun));
    // Looked at when all of the commit is there: what it needs may have ended in the very same one.
    for (const taskRun of begun) this.#checkNeeds(taskRun);
    this.#checkCapacity();
    for (const run of runs) this.#checkRollUp(run);
    const touched = new Set(images.map(({ run }) => run));
    for (const id of touched) this.#checkRollUp(this.runs.get(id)!);
  }

  get isSettled(): boolean {
    return [...this.runs.values()].every(({ state }) => isTerminalRun(state));
  }

  /** Everything has healed and had time: nothing may be left undone (I7). */
  settled(): void {
    for (const run of this.runs.values()) {
      if (isTerminalRun(run.state)) continue;
      const left = this.#taskRunsOf(run.id).filter(({ state }) => !isTerminalTaskRun(state));
      const states = left
        .slice(0, 5)
        .map(({ ordinal, state, attempt }) => `${ordinal} ${state} ${attempt?.state ?? ''}`);
      throw new Broken('I7', `run ${run.id} is ${run.state} for ever: ${states.join(', ')}`);
    }
  }

  /** What the event log says of assignments whose rows are not written yet, as images. */
  #logged({ assigned: { nodes, tasks }, at }: Change): readonly StoredTaskRun[] {
    const images: StoredTaskRun[] = [];
    for (let index = 0; index < tasks.length; index += 3) {
      const run = this.#runOfKey.get(tasks[index]!)!;
      const before = this.taskRuns.get(`${run}.${tasks[index + 1]!}`)!;
      const node = nodes[tasks[index + 2]!]!;
      const attempt = {
        number: 1,
        node,
        state: 'ASSIGNED' as const,
        assignedAt: at,
        startedAt: null,
        finishedAt: null,
        failure: null,
      };
      images.push({ ...before, state: 'ASSIGNED', readyAt: before.readyAt ?? at, attempt });
    }
    return images;
  }

  #checkRun(run: Run): void {
    this.#runOfKey.set(run.key, run.id);
    const before = this.runs.get(run.id);
    if (before && isTerminalRun(before.state))
      throw new Broken('I3', `run ${run.id} was ${before.state} and is written as ${run.state}`);
    if (isTerminalRun(run.state)) this.runEnds++;
    this.runs.set(run.id, { ...run });
  }

  /** Takes in an image; true when it has begun a new attempt. */
  #checkTaskRun(taskRun: StoredTaskRun): boolean {
    const id = `${taskRun.run}.${taskRun.ordinal}`;
    const before = this.taskRuns.get(id);
    const { attempt, state } = taskRun;
    if (before && isTerminalTaskRun(before.state))
      throw new Broken('I3', `task run ${id} was ${before.state} and is written as ${state}`);
    this.#checkAttempt(id, before?.attempt ?? null, attempt);
    if (isActiveTaskRun(state) !== (attempt !== null && !isTerminalAttempt(attempt.state))) {
      throw new Broken('I1', `task run ${id} is ${state} with an attempt that is ${attempt?.state ?? 'none'}`);
    }
    const definition = this.#definitions.get(taskRun.run)!;
    const task = definition.tasks.find(({ key }) => key === taskRun.taskKey)!;
    if (taskRun.failures > task.retry.max + 1)
      throw new Broken(
        'I11',
        `task run ${id} was tried ${taskRun.failures} times; ${task.retry.max} retries are allowed`,
      );
    if (taskRun.losses > LOSSES_ALLOWED + 1) throw new Broken('I11', `task run ${id} was lost ${taskRun.losses} times`);
    this.#checkPrice(id, before, taskRun);
    const free = this.#free.get(id) ?? 0;
    if (attempt && attempt.number > taskRun.failures + taskRun.losses + free + 1)
      throw new Broken('I11', `task run ${id} has more attempts than failures and losses explain`);
    if (state === 'SUCCEEDED' && this.#processes.get(`${id}.${attempt!.number}`) !== 'SUCCEEDED') {
      throw new Broken('I2', `task run ${id} SUCCEEDED, but the process of its attempt ${attempt!.number} did not`);
    }
    const { revision, run, runKey, ordinal, taskKey, mapIndex, readyAt, dueAt, finishedAt, failures, losses, outputs } =
      taskRun;
    this.taskRuns.set(id, {
      revision,
      run,
      runKey,
      ordinal,
      taskKey,
      mapIndex,
      readyAt,
      dueAt,
      finishedAt,
      failures,
      losses,
      outputs,
      state,
      attempt: attempt ? { ...attempt } : null,
    });
    if (isActiveTaskRun(state)) this.#active.add(id);
    else this.#active.delete(id);
    const ordinals = this.#ordinals.get(run) ?? new Set();
    ordinals.add(ordinal);
    this.#ordinals.set(run, ordinals);
    return attempt !== null && attempt.number !== before?.attempt?.number;
  }

  /** An attempt that never began costs nothing; one that is known to have begun costs a failure or a loss, and one only. */
  #checkPrice(id: string, before: StoredTaskRun | undefined, { attempt, failures, losses }: StoredTaskRun): void {
    const paid = failures + losses - (before?.failures ?? 0) - (before?.losses ?? 0);
    const wasLive =
      before?.attempt?.number !== attempt?.number || !isTerminalAttempt(before?.attempt?.state ?? 'ASSIGNED');
    const hasEnded = attempt !== null && isTerminalAttempt(attempt.state) && wasLive;
    if (paid < 0 || paid > (hasEnded ? 1 : 0)) throw new Broken('I11', `task run ${id} paid ${paid} for one end`);
    if (!hasEnded) return;
    if (attempt.state === 'REJECTED' && paid > 0) throw new Broken('I11', `task run ${id} paid for a rejection`);
    const isFree =
      attempt.state === 'REJECTED' || (attempt.state === 'LOST' && attempt.startedAt === null && paid === 0);
    if (isFree) this.#free.set(id, (this.#free.get(id) ?? 0) + 1);
  }

  #checkAttempt(id: string, before: Attempt | null, after: Attempt | null): void {
    if (!before) {
      if (after && after.number !== 1) throw new Broken('I2', `task run ${id} begins with attempt ${after.number}`);
      return;
    }
    if (!after || after.number < before.number)
      throw new Broken('I2', `task run ${id} lost its attempt ${before.number}`);
    const hasEnded = isTerminalAttempt(before.state);
    if (after.number > before.number) {
      if (!hasEnded)
        throw new Broken('I1', `task run ${id} got attempt ${after.number} while ${before.number} was ${before.state}`);
      return;
    }
    if (after.state === 'LOST') this.#lost.add(`${id}.${after.number}`);
    if (hasEnded && after.state !== before.state)
      throw new Broken('I2', `attempt ${id}.${before.number} was ${before.state} and became ${after.state}`);
    if (after.state === 'SUCCEEDED' && this.#processes.get(`${id}.${after.number}`) === 'KILLED')
      throw new Broken('I2', `attempt ${id}.${after.number} was told to stop and counts as done`);
  }

  #checkNeeds(taskRun: StoredTaskRun): void {
    const definition = this.#definitions.get(taskRun.run)!;
    for (const key of definition.tasks.find((task) => task.key === taskRun.taskKey)!.needs) {
      const { allowFailure } = definition.tasks.find((task) => task.key === key)!;
      for (const upstream of this.#taskRunsOf(taskRun.run).filter(({ taskKey }) => taskKey === key)) {
        const { state } = upstream;
        if (state === 'SUCCEEDED' || state === 'CACHED' || (state === 'FAILED' && allowFailure)) continue;
        throw new Broken('I10', `task run ${taskRun.run}.${taskRun.ordinal} was started while ${key} was ${state}`);
      }
    }
  }

  #checkCapacity(): void {
    const held = new Map<string, Record<string, number>>();
    for (const id of this.#active) {
      const taskRun = this.taskRuns.get(id)!;
      const task = this.#definitions.get(taskRun.run)!.tasks.find(({ key }) => key === taskRun.taskKey)!;
      const amounts = held.get(taskRun.attempt!.node) ?? {};
      for (const [name, amount] of Object.entries(task.resources)) amounts[name] = (amounts[name] ?? 0) + amount;
      held.set(taskRun.attempt!.node, amounts);
    }
    for (const [node, amounts] of held) {
      for (const [name, amount] of Object.entries(amounts)) {
        const capacity = this.#capacity.get(node)?.[name] ?? 0;
        if (amount > capacity)
          throw new Broken('I4', `node ${node} has ${capacity} ${name}, and ${amount} are reserved`);
      }
    }
  }

  #checkRollUp(run: Run): void {
    const hasEnded = this.#taskRunsOf(run.id).every(({ state }) => isTerminalTaskRun(state));
    if (isTerminalRun(this.runs.get(run.id)!.state) !== hasEnded) {
      throw new Broken('I3', `run ${run.id} is ${run.state}; its task runs have ${hasEnded ? '' : 'not '}all ended`);
    }
  }

  #taskRunsOf(run: string): readonly StoredTaskRun[] {
    return [...(this.#ordinals.get(run) ?? [])].map((ordinal) => this.taskRuns.get(`${run}.${ordinal}`)!);
  }
}
