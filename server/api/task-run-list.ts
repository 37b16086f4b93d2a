import type { TaskRun, TaskRunState as State } from '../domain/task-run.ts';
import { builder } from './builder.ts';
import { connectionType } from './connections.ts';
import { enumOf } from './vocabulary.ts';

export const TaskRunState = enumOf<State>('TaskRunState', 'Where a task run stands.', {
  WAITING: 'What it needs has not ended yet.',
  READY: 'In its pool’s queue.',
  ASSIGNED: 'Given to a node, which has not begun.',
  RUNNING: 'At work on a node.',
  BACKOFF: 'It failed and is tried again at `dueAt`.',
  BLOCKED: 'Held back, because its run is paused.',
  CANCELLING: 'Being stopped.',
  SUCCEEDED: 'Done.',
  FAILED: 'It failed and is not tried again.',
  SKIPPED: 'Not run, because a condition said so.',
  UPSTREAM_FAILED: 'Not run, because something that it needs failed.',
  CANCELLED: 'Cancelled with its run.',
  CACHED: 'Not run: the outputs of an earlier one were taken.',
});

export const TaskRunRef = builder.objectRef<TaskRun>('TaskRun');
/** Not counted: `Run.counts` says how many there are, and nobody keeps count by state. */
export const TaskRunConnection = connectionType<TaskRun>('TaskRun', TaskRunRef, 'task runs', { isCounted: false });
