import { COMMANDS } from '../../server/cli/command-table.ts';
import type { Command, Option } from '../../server/cli/command.ts';
import { EXIT_CODES } from '../../server/cli/exit-code.ts';
import { GLOBAL_OPTIONS } from '../../server/cli/program.ts';
import { code, heading, page, table } from './markdown.ts';

/** docs/reference/cli.md */
export function cliPage(): string {
  const intro = [
    '`gantry` is a client of the public GraphQL API and knows nothing that another client could not. In a clone it is `npx gantry`.',
    '',
    'Every result has three renderings: a table with colours on a terminal (none with `NO_COLOR`), one line per row with',
    'fields between tabs in a pipe, and JSON with `--json`. Messages go to standard error.',
  ].join('\n');
  return page([
    heading('Command line', intro, 'the command table in server/cli'),
    '## Options of every command',
    optionsTable(GLOBAL_OPTIONS),
    '## Exit codes',
    table(
      ['code', 'means'],
      Object.values(EXIT_CODES).map(({ code: number, meaning }) => [String(number), meaning]),
    ),
    ...COMMANDS.map(section),
  ]);
}

function section(command: Command): string {
  const given = (command.arguments ?? []).map(({ name, isOptional }) => (isOptional ? `[${name}]` : `<${name}>`));
  const usage = ['gantry', command.name, ...(command.options ? ['[options]'] : []), ...given].join(' ');
  const parts = [`## gantry ${command.name}`, command.summary, `\`\`\`\n${usage}\n\`\`\``];
  if (command.details) parts.push(command.details);
  if (command.arguments) {
    parts.push(
      table(
        ['argument', 'is'],
        command.arguments.map(({ name, summary }) => [code(name), summary]),
      ),
    );
  }
  if (command.options) parts.push(optionsTable(command.options));
  if (command.takesServerSettings) {
    parts.push('Every setting of the server is an option too: see [configuration](configuration.md).');
  }
  const examples = command.examples.map((example) => `# ${example.meaning}\n${example.command}`);
  parts.push(`\`\`\`sh\n${examples.join('\n\n')}\n\`\`\``);
  return page(parts);
}

function optionsTable(options: readonly Option[]): string {
  return table(
    ['option', 'means'],
    options.map((option) => [code(option.flags), [option.summary, ...optionNotes(option)].join(' ')]),
  );
}

function optionNotes({ isRepeatable, isRequired, choices, default: value }: Option): readonly string[] {
  return [
    ...(isRequired ? ['Required.'] : []),
    ...(isRepeatable ? ['May be repeated.'] : []),
    ...(choices ? [`One of ${choices.map(code).join(', ')}.`] : []),
    ...(value === undefined ? [] : [`Default: ${code(value)}.`]),
  ];
}
