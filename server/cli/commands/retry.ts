import { payloadOf, type UnionMember } from '../client.ts';
import type { Command } from '../command.ts';
import { EXIT_CODES } from '../exit-code.ts';
import { CommandFailure } from '../failure.ts';
import type { RunView } from '../run-progress.ts';
import { concludeWatching, watchRun } from '../watch-run.ts';

export const retry: Command = {
  name: 'retry',
  summary: 'Repeats a run that has ended, as a new run.',
  details:
    'What succeeded is not done again, of a fan-out neither: its outputs are taken over, and so is a failure that ' +
    'its task tolerates, unless it is named, or --from all says otherwise.',
  arguments: [{ name: 'run', summary: 'The id of the run to repeat.' }],
  options: [
    { flags: '--from <what>', summary: 'What is done again.', choices: ['failed', 'all'], default: 'failed' },
    { flags: '--task <key>', summary: 'Does this task again, and everything downstream of it.', isRepeatable: true },
    { flags: '--idempotency-key <key>', summary: 'Retrying again with the same key gives the same run.' },
    { flags: '-f, --follow', summary: 'Shows the new run until it ends.' },
  ],
  examples: [
    { command: 'gantry retry 019aa1c8-… --follow', meaning: 'try again what failed, and watch it' },
    { command: 'gantry retry 019aa1c8-… --task merge', meaning: 'do one task again' },
  ],
  async run({ arguments: [id = ''], options, context }) {
    const client = context.connect();
    const tasks = options.texts('task');
    if (tasks.length > 0 && options.text('from') === 'all') {
      throw new CommandFailure({ code: 'USAGE', message: '--task and --from all exclude each other.' });
    }
    const from = tasks.length > 0 ? 'TASKS' : options.text('from') === 'all' ? 'ALL' : 'FAILED';
    const idempotencyKey = options.text('idempotencyKey');
    const input = {
      id,
      from,
      ...(tasks.length > 0 ? { tasks } : {}),
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    };
    const { retryRun } = await client.ask<{ readonly retryRun: UnionMember }>('retry-run', { input });
    const { run } = payloadOf<UnionMember & { readonly run: RunView }>(retryRun, 'RetryRunPayload');
    if (options.is('follow')) {
      context.output.note(`run ${run.id}`);
      return concludeWatching(await watchRun(client, run.id, context), run.id, context);
    }
    context.output.result(run, () => [run.id]);
    return EXIT_CODES.SUCCEEDED.code;
  },
};
