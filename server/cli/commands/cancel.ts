import { payloadOf, type UnionMember } from '../client.ts';
import type { Command } from '../command.ts';
import { EXIT_CODES } from '../exit-code.ts';
import type { RunView } from '../run-progress.ts';

export const cancel: Command = {
  name: 'cancel',
  summary: 'Cancels a run: its running tasks are stopped, the rest is not begun.',
  arguments: [{ name: 'run', summary: 'The id of the run.' }],
  examples: [{ command: 'gantry cancel 019aa1c8-…', meaning: 'stop a run' }],
  async run({ arguments: [id = ''], context }) {
    const { cancelRun } = await context
      .connect()
      .ask<{ readonly cancelRun: UnionMember }>('cancel-run', { input: { id } });
    const remedy = cancelRun.__typename === 'RunNotFound' ? 'gantry runs lists them.' : null;
    const { run } = payloadOf<UnionMember & { readonly run: RunView }>(cancelRun, 'CancelRunPayload', remedy);
    context.output.result(run, () => [`${run.id}\t${run.state}`]);
    return EXIT_CODES.SUCCEEDED.code;
  },
};
