import { excerpt } from '../domain/excerpt.ts';
import { graphOf, type PipelineGraph } from '../domain/pipeline-graph.ts';
import { MAX_EDGES } from './limits.ts';
import type { Path, ProblemList } from './problem.ts';
import { didYouMeanOneOf, type ReadForm, type ReadTask } from './read-form.ts';

/** How many tasks of a cycle a message names. */
const MAX_NAMED = 12;

/** The graph of the tasks that could be read, by their place among these; what is wrong with it is in the list. */
export function checkGraph({ tasks, keys }: ReadForm, problems: ProblemList): PipelineGraph {
  const indexes = new Map<string, number>();
  for (const [index, key] of keys.entries()) {
    if (key === null) continue;
    const first = indexes.get(key);
    if (first === undefined) indexes.set(key, index);
    else {
      const message = `The key “${excerpt(key)}” is taken: tasks.${first} has it too.`;
      problems.add({
        code: 'DUPLICATE_TASK',
        message,
        path: ['tasks', index, 'key'],
        suggestion: 'Give each task a key of its own.',
      });
    }
  }

  let edges = 0;
  for (const task of tasks) {
    const needs = needsOf(task);
    edges += needs.length;
    if (edges > MAX_EDGES) {
      const message = `The tasks of a pipeline may have at most ${MAX_EDGES} needs together.`;
      problems.add({
        code: 'TOO_LARGE',
        message,
        path: needPath(task, 0),
        suggestion: 'Let a task in between gather them.',
      });
      break;
    }
    for (const [at, need] of needs.entries()) {
      if (problems.isFull) break;
      const path = needPath(task, at);
      if (need === task.form.key) {
        problems.add({
          code: 'SELF_NEED',
          message: `“${excerpt(need)}” cannot need itself.`,
          path,
          suggestion: 'Leave it out.',
        });
      } else if (!indexes.has(need)) {
        const others = [...indexes.keys()].filter((key) => key !== task.form.key);
        const message = `There is no task “${excerpt(need)}”.`;
        problems.add({ code: 'UNKNOWN_TASK', message, path, suggestion: didYouMeanOneOf(need, others) });
      }
    }
  }

  const graph = graphOf(
    tasks.map((task) => ({ key: task.form.key, needs: needsOf(task).filter((need) => need !== task.form.key) })),
  );
  if (graph.cycle !== null) addCycle(graph.cycle, tasks, problems);
  return graph;
}

/** The keys that a task needs, as written: a list or one of them. */
export function needsOf({ form }: ReadTask): readonly string[] {
  return typeof form.needs === 'string' ? [form.needs] : (form.needs ?? []);
}

function needPath({ index, form }: ReadTask, at: number): Path {
  return typeof form.needs === 'string' ? ['tasks', index, 'needs'] : ['tasks', index, 'needs', at];
}

function addCycle(cycle: readonly string[], tasks: readonly ReadTask[], problems: ProblemList): void {
  const [from = '', to = ''] = cycle;
  const task = tasks.find(({ form }) => form.key === from);
  if (task === undefined) return;
  const named =
    cycle.length > MAX_NAMED
      ? [...cycle.slice(0, MAX_NAMED - 2), `… (${cycle.length - MAX_NAMED + 1} more)`, ...cycle.slice(-1)]
      : cycle;
  problems.add({
    code: 'CYCLE',
    message: `Tasks need each other in a circle, so none of them could start: ${named.join(' → ')}.`,
    path: needPath(task, Math.max(0, needsOf(task).indexOf(to))),
    suggestion: `Remove one of these needs, for example “${to}” from “${from}”.`,
  });
}
