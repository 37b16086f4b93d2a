import DataLoader from 'dataloader';
import type { Reason, Usage } from '@gantry/plugin-kit/vocabulary';
import type { Attempt } from '../domain/attempt.ts';
import { attemptId, runId, taskRunId, type AttemptId, type RunId, type TaskRunId } from '../domain/ids.ts';
import type { Node } from '../domain/node.ts';
import type { Pipeline, PipelineVersion } from '../domain/pipeline.ts';
import type { Pool } from '../domain/pool.ts';
import type { Run } from '../domain/run.ts';
import type { TaskRun } from '../domain/task-run.ts';
import type { Task } from '../domain/task.ts';
import type { Page, PageArgs, Store } from '../store/store.ts';

/** Which page of which run's task runs. */
export interface TaskRunPageKey {
  readonly run: RunId;
  readonly args: PageArgs;
  readonly states: readonly string[] | undefined;
}

/** The place of a task run. */
export interface TaskRunKey {
  readonly run: RunId;
  readonly ordinal: number;
}

/** The place of an attempt. */
export interface AttemptKey extends TaskRunKey {
  readonly number: number;
}

/** Reads that are collected during one turn and made as one statement. One set per request or event. */
export interface Loaders {
  readonly pipelines: DataLoader<string, Pipeline | null>;
  readonly versions: DataLoader<{ pipeline: string; number: number }, PipelineVersion | null, string>;
  readonly runs: DataLoader<RunId, Run | null>;
  /** A run's tasks by key, as its version defines them; null for an unknown run. */
  readonly tasks: DataLoader<RunId, ReadonlyMap<string, Task> | null>;
  readonly taskRuns: DataLoader<TaskRunKey, TaskRun | null, TaskRunId>;
  readonly taskRunPages: DataLoader<TaskRunPageKey, Page<TaskRun>, string>;
  readonly attempts: DataLoader<TaskRunKey, readonly Attempt[], TaskRunId>;
  readonly usages: DataLoader<AttemptKey, Usage | null, AttemptId>;
  /** Why task runs ended as they did, where that was kept. */
  readonly reasons: DataLoader<TaskRunKey, Reason | null, TaskRunId>;
  readonly nodes: DataLoader<string, Node | null>;
  readonly pools: DataLoader<string, Pool | null>;
}

const taskRunKey = ({ run, ordinal }: TaskRunKey): TaskRunId => taskRunId(run, ordinal);

/** Loaders with nothing in them yet. */
export function createLoaders(store: Store): Loaders {
  return new LazyLoaders(store);
}

/** Each loader is made when it is first asked for: most requests need one or two. */
class LazyLoaders implements Loaders {
  readonly #store: Store;
  #pipelines: Loaders['pipelines'] | undefined;
  #versions: Loaders['versions'] | undefined;
  #runs: Loaders['runs'] | undefined;
  #tasks: Loaders['tasks'] | undefined;
  #taskRuns: Loaders['taskRuns'] | undefined;
  #taskRunPages: Loaders['taskRunPages'] | undefined;
  #attempts: Loaders['attempts'] | undefined;
  #usages: Loaders['usages'] | undefined;
  #reasons: Loaders['reasons'] | undefined;
  #nodes: Loaders['nodes'] | undefined;
  #pools: Loaders['pools'] | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  get pipelines(): Loaders['pipelines'] {
    return (this.#pipelines ??= new DataLoader((names) => this.#store.pipelines.byNames(names)));
  }

  get versions(): Loaders['versions'] {
    return (this.#versions ??= new DataLoader((keys) => this.#store.pipelines.versions(keys), {
      cacheKeyFn: ({ pipeline, number }) => `${number} ${pipeline}`,
    }));
  }

  get runs(): Loaders['runs'] {
    return (this.#runs ??= new DataLoader((ids) => this.#store.runs.byIds(ids)));
  }

  get tasks(): Loaders['tasks'] {
    return (this.#tasks ??= new DataLoader((runs) => Promise.all(runs.map((run) => loadTasks(this, run)))));
  }

  get taskRuns(): Loaders['taskRuns'] {
    return (this.#taskRuns ??= new DataLoader((keys) => this.#store.taskRuns.byIds(keys), { cacheKeyFn: taskRunKey }));
  }

  get taskRunPages(): Loaders['taskRunPages'] {
    return (this.#taskRunPages ??= new DataLoader((keys) => loadTaskRunPages(this.#store, keys), {
      cacheKeyFn: pageKey,
    }));
  }

  get attempts(): Loaders['attempts'] {
    return (this.#attempts ??= new DataLoader((keys) => this.#store.taskRuns.attempts(keys), {
      cacheKeyFn: taskRunKey,
    }));
  }

  get usages(): Loaders['usages'] {
    return (this.#usages ??= new DataLoader((keys) => this.#store.taskRuns.usages(keys), {
      cacheKeyFn: ({ run, ordinal, number }) => attemptId(run, ordinal, number),
    }));
  }

  get reasons(): Loaders['reasons'] {
    return (this.#reasons ??= new DataLoader((keys) => this.#store.taskRuns.reasons(keys), { cacheKeyFn: taskRunKey }));
  }

  get nodes(): Loaders['nodes'] {
    return (this.#nodes ??= new DataLoader((names) => this.#store.nodes.byNames(names)));
  }

  get pools(): Loaders['pools'] {
    return (this.#pools ??= new DataLoader((names) => loadPools(this.#store, names)));
  }
}

async function loadTasks({ runs, versions }: Loaders, id: RunId): Promise<ReadonlyMap<string, Task> | null> {
  const run = await runs.load(id);
  const version = run && (await versions.load({ pipeline: run.pipeline, number: run.version }));
  return version && new Map(version.definition.tasks.map((task) => [task.key, task]));
}

const pageKey = ({ run, args, states }: TaskRunPageKey): string => `${run} ${shapeOf(args, states)}`;
const shapeOf = (args: PageArgs, states: readonly string[] | undefined) => JSON.stringify([args, states ?? null]);

/** One statement for all runs that are asked for the same page: in one query that is each selection's field. */
async function loadTaskRunPages(store: Store, keys: readonly TaskRunPageKey[]): Promise<Page<TaskRun>[]> {
  const groups = new Map<string, { readonly key: TaskRunPageKey; readonly at: number[] }>();
  keys.forEach((key, at) => {
    const shape = shapeOf(key.args, key.states);
    const group = groups.get(shape);
    if (group) group.at.push(at);
    else groups.set(shape, { key, at: [at] });
  });
  const pages: Page<TaskRun>[] = [];
  for (const { key, at } of groups.values()) {
    const found = await store.taskRuns.pagesOfRuns(
      at.map((each) => keys[each]!.run),
      key.args,
      key.states === undefined ? {} : { states: key.states },
    );
    at.forEach((each, index) => (pages[each] = found[index]!));
  }
  return pages;
}

/** There are few pools: one statement reads them all. */
async function loadPools(store: Store, names: readonly string[]): Promise<(Pool | null)[]> {
  if (names.length === 1) return [await store.pools.byName(names[0]!)];
  const pools = new Map((await store.pools.all()).map((pool) => [pool.name, pool]));
  return names.map((name) => pools.get(name) ?? null);
}

/** Whether a text can be a run's id at all: what cannot is not asked of the database. */
export function readRunId(text: string): RunId | null {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text) ? runId(text) : null;
}
