import {
  PROGRESSED,
  RUN_DELETED,
  RUN_PROGRESSED,
  runEventTypes,
  taskRunEventTypes,
  type EventBatch,
} from '../domain/event.ts';
import type { RunId } from '../domain/ids.ts';
import { isTerminalRun, type RunState } from '../domain/run.ts';
import type { TaskRunState } from '../domain/task-run.ts';

/** An event within its batch. `index` is its place there, for ever: cursors name it. */
export interface ExpandedEvent {
  readonly index: number;
  /** What it is about: later events of the same key replace it for a slow reader. */
  readonly key: string;
  readonly type: string;
  readonly run: RunId | null;
  readonly pipeline: string | null;
  readonly ordinal: number | null;
  readonly state: RunState | TaskRunState | null;
  readonly node: string | null;
  /** It ended its run. */
  readonly isRunEnd: boolean;
}

/**
 * The events of a batch that concern runs, in the order in which they make sense: runs that began or went on, their
 * task runs, runs that ended.
 */
export function* runEvents(
  batch: EventBatch,
  wanted: (run: string, pipeline: string) => boolean,
): Generator<ExpandedEvent> {
  const { runs, taskRuns } = batch;
  const isWanted = runs.map(([run, pipeline]) => wanted(run, pipeline));
  if (!isWanted.includes(true)) return;
  for (let index = 0; index < runs.length; index++) {
    const [, , state, changed] = runs[index]!;
    if (isWanted[index] && changed === 1 && !isTerminalRun(state)) yield runEvent(batch, index, index);
  }
  for (let position = 0; position < taskRuns.length; position++) {
    const [run, ordinal, state] = taskRuns[position]!;
    if (!isWanted[run]) continue;
    const [id, pipeline] = runs[run]!;
    yield {
      index: runs.length + position,
      key: `${id}.${ordinal}`,
      type: taskRunEventTypes[state],
      run: id as RunId,
      pipeline,
      ordinal,
      state,
      node: null,
      isRunEnd: false,
    };
  }
  for (let index = 0; index < runs.length; index++) {
    const [, , state, changed] = runs[index]!;
    if (isWanted[index] && changed === 1 && isTerminalRun(state))
      yield runEvent(batch, index, runs.length + taskRuns.length + index);
  }
}

function runEvent(batch: EventBatch, position: number, index: number): ExpandedEvent {
  const [id, pipeline, state] = batch.runs[position]!;
  return {
    index,
    key: id,
    type: runEventTypes[state],
    run: id as RunId,
    pipeline,
    ordinal: null,
    state,
    node: null,
    isRunEnd: isTerminalRun(state),
  };
}

/**
 * A task run has come further, or a run when `ordinal` is null: in no batch and no log, for it is told to those who watch
 * and to nobody else.
 */
export function progressEvent(run: RunId, ordinal: number | null): ExpandedEvent {
  return {
    index: 0,
    key: ordinal === null ? run : `${run}.${ordinal}`,
    type: ordinal === null ? RUN_PROGRESSED : PROGRESSED,
    run,
    pipeline: null,
    ordinal,
    state: null,
    node: null,
    isRunEnd: false,
  };
}

/** A run was deleted: in no batch either, for what is left of the run is deleted with it. */
export function deletionEvent(run: RunId): ExpandedEvent {
  return { ...progressEvent(run, null), type: RUN_DELETED };
}

/** The events of a batch that concern nodes. */
export function* nodeEvents(batch: EventBatch): Generator<ExpandedEvent> {
  for (let index = 0; index < batch.nodes.length; index++) {
    const [name, connection, eligibility] = batch.nodes[index]!;
    const type =
      connection !== 'READY'
        ? `node.${connection.toLowerCase()}`
        : eligibility === 'ELIGIBLE'
          ? 'node.changed'
          : `node.${eligibility.toLowerCase()}`;
    yield {
      index,
      key: name,
      type,
      run: null,
      pipeline: null,
      ordinal: null,
      state: null,
      node: name,
      isRunEnd: false,
    };
  }
}
