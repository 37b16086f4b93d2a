import type { Command } from '../command.ts';
import { EXIT_CODES } from '../exit-code.ts';
import { CommandFailure } from '../failure.ts';
import { styleOfState } from '../output.ts';
import { firstRows, type Page } from '../pages.ts';
import type { RunView } from '../run-progress.ts';
import { agoText, elapsedBetween, elapsedText } from '../time-text.ts';

const RUN_STATES = ['QUEUED', 'RUNNING', 'PAUSED', 'CANCELLING', 'SUCCEEDED', 'FAILED', 'CANCELLED'] as const;

export const runs: Command = {
  name: 'runs',
  summary: 'Lists runs, newest first.',
  options: [
    { flags: '--pipeline <name>', summary: 'Only runs of this pipeline.' },
    { flags: '--state <state>', summary: 'Only runs in this state.', isRepeatable: true, choices: RUN_STATES },
    { flags: '--limit <number>', summary: 'How many at most.', default: '20' },
  ],
  examples: [
    { command: 'gantry runs --state RUNNING --state QUEUED', meaning: 'what is going on' },
    { command: 'gantry runs --pipeline nightly --limit 5 --json', meaning: 'the last five, for a program' },
  ],
  async run({ options, context }) {
    const { output } = context;
    const limit = Number(options.text('limit'));
    if (!Number.isSafeInteger(limit) || limit < 1) {
      throw new CommandFailure({ code: 'USAGE', message: '--limit must be a whole number from 1.' });
    }
    const states = options.texts('state');
    const pipeline = options.text('pipeline');
    const filter = { ...(pipeline === undefined ? {} : { pipeline }), ...(states.length === 0 ? {} : { states }) };
    type Data = { readonly runs: Page<RunView> };
    const found = await firstRows<RunView, Data>(context.connect(), 'runs', { filter }, (data) => data.runs, limit);
    const now = context.now();
    output.result(found, () =>
      output.table<RunView>(
        [
          { heading: 'run', value: (run) => run.id },
          { heading: 'pipeline', value: (run) => `${run.pipelineName} v${run.versionNumber}` },
          { heading: 'state', value: (run) => run.state, style: (run) => styleOfState(run.state) },
          { heading: 'tasks', value: ({ counts }) => `${counts.finished}/${counts.total}`, alignsRight: true },
          { heading: 'failed', value: ({ counts }) => counts.failed, alignsRight: true },
          { heading: 'took', value: (run) => tookText(run, now), alignsRight: true },
          {
            heading: 'created',
            value: ({ createdAt }) => (output.rendering === 'HUMAN' ? agoText(createdAt, now) : createdAt),
          },
          { heading: 'by', value: (run) => run.createdBy },
        ],
        found,
        'No runs. Trigger one: gantry run <pipeline>',
      ),
    );
    return EXIT_CODES.SUCCEEDED.code;
  },
};

function tookText(run: RunView, now: number): string {
  const took = elapsedBetween(run.startedAt, run.finishedAt, now);
  return took === null ? '' : elapsedText(took);
}
