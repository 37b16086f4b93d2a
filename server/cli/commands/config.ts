import { printedSettings, type PrintedSetting } from '../../config/print.ts';
import type { Command } from '../command.ts';
import { EXIT_CODES } from '../exit-code.ts';

export const printConfig: Command = {
  name: 'config print',
  summary: 'Prints every setting, its value and where it came from.',
  takesServerSettings: true,
  details: 'Secrets are not printed.',
  examples: [{ command: 'GANTRY_PORT=4001 gantry config print', meaning: 'which source wins' }],
  run({ context }) {
    const { output } = context;
    const { config, sources } = context.config('SERVER');
    const settings = printedSettings(config, sources);
    output.result(settings, () =>
      output.table<PrintedSetting>(
        [
          { heading: 'setting', value: ({ name }) => name },
          { heading: 'value', value: ({ value }) => (typeof value === 'string' ? value : JSON.stringify(value)) },
          { heading: 'from', value: ({ from }) => from, style: ({ from }) => (from === 'default' ? 'dim' : null) },
          { heading: 'variable', value: ({ variable }) => variable },
        ],
        settings,
        '',
      ),
    );
    return Promise.resolve(EXIT_CODES.SUCCEEDED.code);
  },
};
