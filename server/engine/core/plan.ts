import type { Json } from '@gantry/plugin-kit/vocabulary';
import { hasExpression, parseReferences } from '../../domain/expression.ts';
import { graphOf, type PipelineGraph } from '../../domain/pipeline-graph.ts';
import type { PipelineDefinition } from '../../domain/pipeline.ts';

/** What can be worked out of a definition once, for all runs of the version. */
export interface Plan {
  readonly definition: PipelineDefinition;
  readonly graph: PipelineGraph;
  readonly indexOfKey: ReadonlyMap<string, number>;
  /**
   * Per task: the tasks whose outputs an attempt of it may read: its needs, and what its expressions name. The
   * instances of a fan-out get their item instead of the list that it came from, or n instances would carry n² items.
   */
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
    inputs: definition.tasks.map((task, index) => {
      const named = tasksNamedIn({ with: task.with, env: task.env }, indexOfKey);
      const listed = tasksNamedIn(task.forEach, indexOfKey);
      const needs = (graph.needs[index] ?? []).filter((need) => !listed.includes(need));
      return [...new Set([...needs, ...named])];
    }),
    isLiteral: definition.tasks.map((task) => !hasExpression(task.with) && !hasExpression(task.env)),
  };
}

/** The tasks whose outputs the expressions in a value name. */
export function tasksNamedIn(value: Json, indexOfKey: ReadonlyMap<string, number>): readonly number[] {
  if (!hasExpression(value)) return [];
  const parsed = parseReferences(value);
  if (!parsed.ok) return [];
  return parsed.references.flatMap(({ path }) => {
    const index = path[0] === 'tasks' ? indexOfKey.get(String(path[1])) : undefined;
    return index === undefined ? [] : [index];
  });
}
