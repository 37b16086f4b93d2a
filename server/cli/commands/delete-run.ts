import { payloadOf, type UnionMember } from '../client.ts';
import type { Command } from '../command.ts';
import { EXIT_CODES } from '../exit-code.ts';

const REMEDIES: Readonly<Record<string, string>> = {
  RunNotFound: 'gantry runs lists them.',
  RunNotFinished: 'gantry cancel stops it.',
};

export const deleteRun: Command = {
  name: 'delete-run',
  summary: 'Deletes a run that has ended, with its tasks, attempts and logs.',
  details:
    'It cannot be undone. The audit log keeps who deleted it. Runs that have expired are deleted by themselves: ' +
    'gantry storage shows by which rules.',
  arguments: [{ name: 'run', summary: 'The id of the run.' }],
  examples: [{ command: 'gantry delete-run 019aa1c8-…', meaning: 'delete a run whose log holds what it should not' }],
  async run({ arguments: [id = ''], context }) {
    const answer = await context.connect().ask<{ readonly deleteRun: UnionMember }>('delete-run', { input: { id } });
    const remedy = REMEDIES[answer.deleteRun.__typename] ?? null;
    const deleted = payloadOf<UnionMember & { readonly id: string }>(answer.deleteRun, 'DeleteRunPayload', remedy);
    context.output.result({ id: deleted.id }, () => [`${deleted.id}\tDELETED`]);
    return EXIT_CODES.SUCCEEDED.code;
  },
};
