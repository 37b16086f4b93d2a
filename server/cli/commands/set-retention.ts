import { payloadOf, type UnionMember } from '../client.ts';
import type { Command } from '../command.ts';
import { EXIT_CODES } from '../exit-code.ts';
import { CommandFailure } from '../failure.ts';
import { oneLine } from '../terminal-text.ts';

interface Setting {
  readonly pool: string | null;
  readonly pipeline: string | null;
  readonly age: string | null;
  readonly runs: string | null;
}

export const setRetention: Command = {
  name: 'set-retention',
  summary: 'Sets what is kept of the runs of a pipeline or pool.',
  details:
    'The most specific rule wins, separately for age and number: that of the pipeline, of its pool, of the server ' +
    '(retentionAge and retentionRuns in the configuration). With neither --age nor --runs the rule is taken off. ' +
    'gantry storage --preview shows what the next sweep would delete.',
  options: [
    { flags: '--pipeline <name>', summary: 'Whose runs: those of this pipeline …' },
    { flags: '--pool <name>', summary: '… or those of each pipeline in this pool.' },
    { flags: '--age <duration>', summary: 'How long after its end a run is deleted: 30d, or never.' },
    { flags: '--runs <number>', summary: 'How many of the newest runs are kept of each pipeline: 500, or never.' },
  ],
  examples: [
    { command: 'gantry set-retention --pipeline nightly --age 90d --runs never', meaning: 'ninety days of it, all' },
    { command: 'gantry set-retention --pipeline probe --runs 100', meaning: 'the last hundred' },
    { command: 'gantry set-retention --pipeline probe', meaning: 'as everything else again' },
  ],
  async run({ options, context }) {
    const [pipeline, pool] = [options.text('pipeline'), options.text('pool')];
    if ((pipeline === undefined) === (pool === undefined)) {
      throw new CommandFailure({ code: 'USAGE', message: 'Name either --pipeline or --pool.' });
    }
    const input = { pipeline, pool, age: options.text('age'), runs: options.text('runs') };
    const answer = await context.connect().ask<{ readonly setRetention: UnionMember }>('set-retention', { input });
    const remedy = 'gantry pipelines and gantry pools list them.';
    const { setting } = payloadOf<UnionMember & { readonly setting: Setting | null }>(
      answer.setRetention,
      'SetRetentionPayload',
      remedy,
    );
    const name = oneLine(pipeline ?? pool ?? '');
    context.output.result(setting, () => [
      setting === null
        ? `${name}\tno rule of its own`
        : `${name}\tage ${setting.age ?? 'as the rest'}\truns ${setting.runs ?? 'as the rest'}`,
    ]);
    return EXIT_CODES.SUCCEEDED.code;
  },
};
