import { builder } from './builder.ts';
import type { ApiContext } from './context.ts';
import { resultType, type Refusal } from './errors.ts';
import { readRunId } from './loaders.ts';
import { RunNotFinishedRef, RunNotFoundRef, runNotFound } from './run-refusals.ts';

const DeleteRunPayload = builder.objectRef<{ readonly id: string }>('DeleteRunPayload').implement({
  role: 'VIEWER',
  description: 'The run is in no list any more. The rows of its tasks and logs are deleted within moments.',
  fields: (t) => ({ id: t.exposeID('id', { description: 'The id that it had.' }) }),
});
const DeleteRunResult = builder.unionType('DeleteRunResult', {
  description: 'What became of `deleteRun`.',
  types: [DeleteRunPayload, RunNotFoundRef, RunNotFinishedRef],
  resolveType: resultType('DeleteRunPayload'),
});
const DeleteRunInput = builder.inputType('DeleteRunInput', {
  description: 'Which run.',
  fields: (t) => ({ id: t.id({ description: 'The id of a run that has ended.' }) }),
});

async function deleteRun(
  id: string,
  { ports, viewer }: ApiContext,
): Promise<{ readonly id: string } | Refusal<'RunNotFound'> | Refusal<'RunNotFinished'>> {
  const known = readRunId(id);
  const answer = known === null ? null : await ports.retention.deleteRun(known, viewer.name);
  switch (answer) {
    case 'REMOVED':
      return { id: known! };
    case 'NOT_FINISHED':
      return { refusal: 'RunNotFinished', message: `Run ${known} has not ended. Cancel it first with \`cancelRun\`.` };
    case null:
      return runNotFound(id);
    default:
      return answer satisfies never;
  }
}

builder.mutationFields((t) => ({
  deleteRun: t.field({
    type: DeleteRunResult,
    role: 'ADMIN',
    args: { input: t.arg({ type: DeleteRunInput, description: 'Which one.' }) },
    description:
      'Deletes a run that has ended, with its task runs, attempts, logs and saved states. It cannot be undone.',
    resolve: (_, { input }, context) => deleteRun(input.id, context),
  }),
}));
