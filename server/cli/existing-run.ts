import type { Client } from './client.ts';
import { CommandFailure } from './failure.ts';
import type { RunView } from './run-progress.ts';

/** The run, or a failure that says where to find its id. */
export async function existingRun(client: Client, id: string): Promise<RunView> {
  const { run } = await client.ask<{ readonly run: RunView | null }>('run', { id });
  if (run !== null) return run;
  throw new CommandFailure({
    code: 'RUN_NOT_FOUND',
    message: `There is no run ${id}.`,
    remedy: 'gantry runs lists them.',
  });
}
