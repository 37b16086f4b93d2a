import type { JsonObject } from '@gantry/plugin-kit/vocabulary';
import { hasExpression, parseReferences } from '../../domain/expression.ts';
import { graphOf, type PipelineGraph } from '../../domain/pipeline-graph.ts';
import type { PipelineDefinition } from '../../domain/pipeline.ts';
import type { Task } from '../../domain/task.ts';

/** What can be worked out of a definition once, for all runs of the version. */
export interface Plan {
  readonly definition: PipelineDefinition;
  readonly graph: PipelineGraph;
  readonly indexOfKey: ReadonlyMap<string, number>;
  /** Per task: the tasks whose outputs an attempt of it may read: its needs, and what its expressions name. */
  readonly inputs: readonly (readonly number[])[];
  /** Per task: neither `with` nor `env` holds an expression, so they are handed on as they are. */
  readonly isLiteral: readonly boolean[];
}

const plans = new WeakMap<PipelineDefinition, Plan>();

/** The plan of a definition; kept as long as the definition is. */
export function planOf(definition: PipelineDefinition): Plan {
  let plan = plans.get(definition);
  if (!plan) {
    plan = makePlan(definition);
    plans.set(definition, plan);
  }
  return plan;
}

function makePlan(definition: PipelineDefinition): Plan {
  const graph = graphOf(definition.tasks);
  const indexOfKey = new Map(definition.tasks.map((task, index) => [task.key, index]));
  return {
    definition,
    graph,
    indexOfKey,
    inputs: definition.tasks.map((task, index) => readTasks(task, graph.needs[index] ?? [], indexOfKey)),
    isLiteral: definition.tasks.map((task) => !hasExpression(task.with) && !hasExpression(task.env)),
  };
}

function readTasks(task: Task, needs: readonly number[], indexOfKey: ReadonlyMap<string, number>): readonly number[] {
  const read = new Set(needs);
  const texts: JsonObject = { with: task.with, env: task.env, forEach: task.forEach };
  const parsed = hasExpression(texts) ? parseReferences(texts) : null;
  if (parsed?.ok) {
    for (const reference of parsed.references) {
      const index = reference.path[0] === 'tasks' ? indexOfKey.get(String(reference.path[1])) : undefined;
      if (index !== undefined) read.add(index);
    }
  }
  return read.size === needs.length ? needs : [...read];
}
