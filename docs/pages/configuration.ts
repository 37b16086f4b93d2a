import { CONFIG_FILES, SETTINGS, settingNames, type SettingName } from '../../server/config/schema.ts';
import { formNames, type Setting } from '../../server/config/setting.ts';
import { code, heading, page, table } from './markdown.ts';

/** docs/reference/configuration.md */
export function configurationPage(): string {
  const intro = [
    'Every setting has a key in the configuration file, an environment variable and, unless it is a secret of the server, a flag.',
    'The later of these wins: default, file, environment, flag. `gantry config print` shows each value and where it came from.',
    'A key or a `GANTRY_` variable that is not in these tables is refused, with the one that was probably meant.',
    '',
    `The file is the first of ${CONFIG_FILES.map(code).join(', ')} in the working folder, or what \`--config\` or \`GANTRY_CONFIG\` name.`,
    'Relative paths in it are relative to it.',
  ].join('\n');
  return page([
    heading('Configuration', intro, 'server/config/schema.ts'),
    '## The server and its own node',
    settingsTable(settingNames.filter((name) => SETTINGS[name].side === 'SERVER')),
    '## Client commands',
    settingsTable(settingNames.filter((name) => SETTINGS[name].side === 'CLIENT')),
    '## Listening beyond loopback',
    'Whoever has the admin token may run commands on every node, and Gantry does not speak TLS itself. So it refuses to ' +
      'listen on anything but loopback unless `insecure` is set. Put a proxy with TLS before it instead, or set it in a ' +
      'network that you would trust with the token.',
  ]);
}

function settingsTable(names: readonly SettingName[]): string {
  return table(
    ['key', 'variable', 'flag', 'default', 'is', 'meaning'],
    names.map((name) => {
      const row: Setting = SETTINGS[name];
      const standard = row.absent ?? code(typeof row.default === 'string' ? row.default : JSON.stringify(row.default));
      return [
        code(name),
        code(row.variable),
        row.flag === null ? '' : code(`--${row.flag}`),
        standard,
        formNames[row.form],
        row.summary,
      ];
    }),
  );
}
