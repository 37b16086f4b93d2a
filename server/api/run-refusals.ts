import type { Receipt } from '../domain/command.ts';
import { refusalType, type Refusal } from './errors.ts';

export const RunNotFoundRef = refusalType('RunNotFound', 'There is no run with this id.');
export const RunAlreadyFinishedRef = refusalType('RunAlreadyFinished', 'The run has ended: nothing can be done to it.');
export const RunNotFinishedRef = refusalType('RunNotFinished', 'The run has not ended yet.');
export const TaskNotFoundRef = refusalType('TaskNotFound', 'The run’s pipeline version has no task with such a key.');
export const StorageFullRef = refusalType(
  'StorageFull',
  'The disk of the server’s database is full: no new run is taken in until there is room. What runs goes on.',
);
export const NodeNotFoundRef = refusalType('NodeNotFound', 'There is no node of this name.');

const names = {
  RUN_NOT_FOUND: 'RunNotFound',
  RUN_ALREADY_FINISHED: 'RunAlreadyFinished',
  RUN_NOT_FINISHED: 'RunNotFinished',
  PIPELINE_NOT_FOUND: 'PipelineNotFound',
  TASK_NOT_FOUND: 'TaskNotFound',
  NODE_NOT_FOUND: 'NodeNotFound',
  INTERNAL_ERROR: null,
} as const satisfies Record<Extract<Receipt, { ok: false }>['code'], string | null>;

type EngineRefusalName = Exclude<(typeof names)[keyof typeof names], null>;

/**
 * An engine's refusal as a member of a result union. One that the union does not have is a fault of ours: it throws,
 * and the client is told of an incident.
 */
export function refusalOf<const Name extends EngineRefusalName>(
  { code, message }: Extract<Receipt, { ok: false }>,
  ...expected: readonly Name[]
): Refusal<Name> {
  const name = names[code];
  if ((expected as readonly (string | null)[]).includes(name)) return { refusal: name as Name, message };
  throw new Error(`The engine refused with ${code}: ${message}`);
}

/** The refusal for a run that is not there. */
export function runNotFound(id: string): Refusal<'RunNotFound'> {
  return { refusal: 'RunNotFound', message: `There is no run “${id.slice(0, 64)}”. \`runs\` lists what there is.` };
}

/** The refusal for a node that is not there. */
export function nodeNotFound(name: string): Refusal<'NodeNotFound'> {
  return {
    refusal: 'NodeNotFound',
    message: `There is no node “${name.slice(0, 64)}”. \`nodes\` lists what there is.`,
  };
}
