import type { Command } from '../command.ts';
import { EXIT_CODES } from '../exit-code.ts';
import { styleOfState } from '../output.ts';
import { firstRows, type Page } from '../pages.ts';
import { agoText } from '../time-text.ts';

interface PipelineView {
  readonly name: string;
  readonly paused: boolean;
  readonly latestVersion: number;
  readonly updatedAt: string;
  readonly version: {
    readonly description: string;
    readonly pool: string;
    readonly params: readonly { readonly name: string; readonly type: string; readonly isRequired: boolean }[];
  } | null;
  readonly runs: {
    readonly nodes: readonly { readonly id: string; readonly state: string; readonly createdAt: string }[];
  };
}

export const pipelines: Command = {
  name: 'pipelines',
  summary: 'Lists pipelines with their params and their last run.',
  options: [{ flags: '--search <text>', summary: 'Only those whose name holds the text.' }],
  examples: [{ command: 'gantry pipelines --search audit', meaning: 'find a pipeline' }],
  async run({ options, context }) {
    const { output } = context;
    const search = options.text('search');
    const filter = search === undefined ? {} : { search };
    type Data = { readonly pipelines: Page<PipelineView> };
    const found = await firstRows<PipelineView, Data>(
      context.connect(),
      'pipelines',
      { filter },
      (data) => data.pipelines,
    );
    const lastState = ({ runs }: PipelineView): string => runs.nodes[0]?.state ?? '';
    output.result(found, () =>
      output.table<PipelineView>(
        [
          { heading: 'pipeline', value: (pipeline) => pipeline.name },
          { heading: 'version', value: (pipeline) => pipeline.latestVersion, alignsRight: true },
          { heading: 'params', value: paramsText },
          { heading: 'last run', value: lastState, style: (pipeline) => styleOfState(lastState(pipeline)) },
          {
            heading: 'updated',
            value: ({ updatedAt }) => (output.rendering === 'HUMAN' ? agoText(updatedAt, context.now()) : updatedAt),
          },
          { heading: 'paused', value: ({ paused }) => (paused ? 'paused' : '') },
        ],
        found,
        'No pipelines. Apply one: gantry apply -f pipeline.yaml',
      ),
    );
    return EXIT_CODES.SUCCEEDED.code;
  },
};

/** Required ones bear a star. */
function paramsText({ version }: PipelineView): string {
  return (version?.params ?? []).map(({ name, isRequired }) => (isRequired ? `${name}*` : name)).join(' ');
}
