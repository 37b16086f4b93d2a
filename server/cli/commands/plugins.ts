import type { Command } from '../command.ts';
import { EXIT_CODES } from '../exit-code.ts';
import type { ReasonView } from '../run-progress.ts';

interface PluginView {
  readonly kind: string | null;
  readonly name: string;
  readonly version: string;
  readonly contract: string;
  readonly summary: string;
  readonly state: string;
  readonly reason: ReasonView | null;
}

export const plugins: Command = {
  name: 'plugins',
  summary: 'Lists schedulers and runners, also those that failed to load, and why.',
  options: [{ flags: '--kind <kind>', summary: 'Only plugins of this kind.', choices: ['scheduler', 'runner'] }],
  examples: [{ command: 'gantry plugins --kind scheduler', meaning: 'what a pool can be given' }],
  async run({ options, context }) {
    const { output } = context;
    const kind = options.text('kind')?.toUpperCase();
    const variables = kind === undefined ? {} : { kind };
    const { plugins: found } = await context
      .connect()
      .ask<{ readonly plugins: readonly PluginView[] }>('plugins', variables);
    output.result(found, () =>
      output.table<PluginView>(
        [
          { heading: 'kind', value: (plugin) => plugin.kind?.toLowerCase() ?? '' },
          { heading: 'plugin', value: (plugin) => plugin.name },
          { heading: 'version', value: (plugin) => plugin.version },
          { heading: 'contract', value: (plugin) => plugin.contract },
          {
            heading: 'state',
            value: (plugin) => plugin.state,
            style: (plugin) => (plugin.state === 'LOADED' ? 'green' : 'red'),
          },
          { heading: 'about', value: (plugin) => plugin.reason?.message ?? plugin.summary },
        ],
        found,
        'No plugins.',
      ),
    );
    return EXIT_CODES.SUCCEEDED.code;
  },
};
