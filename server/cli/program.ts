import { Command as Parser, CommanderError, Option as ParserOption } from 'commander';
import { loadConfig } from '../config/load.ts';
import { SETTINGS, settingNames, type SettingName } from '../config/schema.ts';
import { createClient } from './client.ts';
import { COMMANDS } from './command-table.ts';
import type { Command, Context, Option, Options } from './command.ts';
import { connectionOf } from './connect.ts';
import { EXIT_CODES, type ExitCode } from './exit-code.ts';
import { CommandFailure } from './failure.ts';
import { Output, type Sink } from './output.ts';
import { version } from './version.ts';

/** What a process has and a test hands in. */
export interface World extends Pick<Context, 'env' | 'cwd' | 'stdin' | 'now' | 'sleep' | 'onInterrupt' | 'exitNow'> {
  readonly stdout: Sink;
  readonly stderr: Sink;
}

/** Options that every command takes. */
export const GLOBAL_OPTIONS: readonly Option[] = [
  { flags: '--url <url>', summary: SETTINGS.url.summary },
  { flags: '--token <token>', summary: `${SETTINGS.token.summary} GANTRY_TOKEN is safer: others see a command line.` },
  { flags: '--config <path>', summary: 'The configuration file, instead of gantry.config.yaml or .json here.' },
  { flags: '--json', summary: 'Prints JSON: one document, or one object per line where results follow each other.' },
];

/** Runs one command line, without the program's name. Never throws what is not a bug. */
export async function runCommandLine(words: readonly string[], world: World): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT_CODES.SUCCEEDED.code;
  // Before parsing it is not known; a failure to parse is told in the same way as any other.
  let output = new Output(world.stdout, world.stderr, { json: words.includes('--json'), env: world.env });
  const program = createParser(world, async (command, given, parsed) => {
    output = new Output(world.stdout, world.stderr, { json: parsed['json'] === true, env: world.env });
    const context = createContext(world, output, parsed);
    exitCode = await command.run({ arguments: given, options: optionsOf(parsed), context });
  });
  try {
    await program.parseAsync([...words], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return endOfParsing(error, output);
    if (error instanceof CommandFailure) {
      output.failure(error);
      return error.exitCode;
    }
    throw error;
  }
}

function endOfParsing(error: CommanderError, output: Output): ExitCode {
  // Help and version were printed, and are no mistake.
  if (error.exitCode === 0 || error.code === 'commander.help')
    return error.exitCode === 0 ? 0 : EXIT_CODES.REFUSED.code;
  const [message = '', ...more] = error.message.replace(/^error: /, '').split('\n');
  const remedy = more
    .join(' ')
    .replace(/^\((.*)\)$/, '$1')
    .trim();
  output.failure({
    code: 'USAGE',
    message,
    remedy: remedy === '' ? '`gantry help` lists the commands, `gantry help <command>` its options.' : remedy,
    details: [],
  });
  return EXIT_CODES.REFUSED.code;
}

type Action = (
  command: Command,
  given: readonly (string | undefined)[],
  parsed: Readonly<Record<string, unknown>>,
) => Promise<void>;

function createParser(world: World, action: Action): Parser {
  const program = new Parser('gantry')
    .description('A GraphQL scheduling platform: pipelines, nodes, swappable schedulers and runners.')
    .version(version(), '-V, --version', 'Prints the version.')
    .helpOption('-h, --help', 'Prints this help.')
    .helpCommand('help [command]', 'Prints the help of a command.')
    .showSuggestionAfterError(true)
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void world.stdout.write(text),
      writeErr: (text) => void world.stderr.write(text),
      // Told by `endOfParsing`.
      outputError: () => undefined,
      getOutHelpWidth: () => world.stdout.columns ?? 100,
    });
  for (const option of GLOBAL_OPTIONS) program.addOption(parserOption(option));
  const groups = new Map<string, Parser>();
  for (const command of COMMANDS) {
    const [first = '', second] = command.name.split(' ');
    let parent = program;
    if (second !== undefined) {
      parent = groups.get(first) ?? program.command(first).description(groupSummary(first));
      groups.set(first, parent);
    }
    addCommand(parent, second ?? first, command, action);
  }
  program.addHelpText('after', `\nExit codes:\n${exitCodeLines().join('\n')}\n`);
  return program;
}

function addCommand(parent: Parser, name: string, command: Command, action: Action): void {
  const parser = parent.command(name).summary(command.summary);
  parser.description(command.details === undefined ? command.summary : `${command.summary}\n\n${command.details}`);
  for (const argument of command.arguments ?? []) {
    parser.argument(argument.isOptional ? `[${argument.name}]` : `<${argument.name}>`, argument.summary);
  }
  for (const option of command.options ?? []) parser.addOption(parserOption(option));
  if (command.takesServerSettings) for (const option of serverOptions()) parser.addOption(parserOption(option));
  const examples = command.examples.map((example) => `  ${example.command}\n      ${example.meaning}`);
  parser.addHelpText('after', `\nExamples:\n${examples.join('\n')}`);
  parser.action(async () => {
    await action(command, parser.processedArgs as (string | undefined)[], parser.optsWithGlobals());
  });
}

/** The server's settings as options: one table drives both. */
export function serverOptions(): readonly Option[] {
  return settingNames.flatMap((name) => {
    const { flag, form, summary, side } = SETTINGS[name];
    if (flag === null || side === 'CLIENT') return [];
    return [{ flags: form === 'BOOLEAN' ? `--${flag}` : `--${flag} <${form.toLowerCase()}>`, summary }];
  });
}

function parserOption({ flags, summary, isRepeatable, isRequired, choices, default: value }: Option): ParserOption {
  const option = new ParserOption(flags, isRepeatable ? `${summary} May be repeated.` : summary);
  if (choices) option.choices(choices);
  if (isRequired) option.makeOptionMandatory();
  if (value !== undefined) option.default(value);
  if (isRepeatable) {
    const parse = option.parseArg as ((value: string, previous: unknown) => unknown) | undefined;
    option.argParser((text: string, previous: readonly string[] | undefined) => {
      // Keeps the check of the choices, which commander does in the same place.
      parse?.call(option, text, undefined);
      return [...(previous ?? []), text];
    });
  }
  return option;
}

function optionsOf(parsed: Readonly<Record<string, unknown>>): Options {
  return {
    text: (name) => (typeof parsed[name] === 'string' ? parsed[name] : undefined),
    texts: (name) => (Array.isArray(parsed[name]) ? (parsed[name] as string[]) : []),
    is: (name) => parsed[name] === true,
  };
}

function createContext(world: World, output: Output, parsed: Readonly<Record<string, unknown>>): Context {
  const settingFlags: Partial<Record<SettingName, string | boolean>> = {};
  for (const name of settingNames) {
    const value = parsed[name];
    if (SETTINGS[name].flag !== null && (typeof value === 'string' || typeof value === 'boolean'))
      settingFlags[name] = value;
  }
  const config: Context['config'] = (side) => {
    const loaded = loadConfig({
      flags: settingFlags,
      env: world.env,
      cwd: world.cwd,
      isClient: side === 'CLIENT',
      isTerminal: world.stderr.isTTY === true,
      ...(typeof parsed['config'] === 'string' ? { file: parsed['config'] } : {}),
    });
    if (loaded.ok) return loaded;
    throw new CommandFailure({
      code: 'BAD_CONFIGURATION',
      message:
        loaded.problems.length === 1 ? 'The configuration is wrong.' : 'The configuration is wrong in several places.',
      details: loaded.problems.map(
        ({ place, message, remedy }) => `  ${place}: ${message}.${remedy === null ? '' : ` ${remedy}`}`,
      ),
    });
  };
  return {
    ...world,
    output,
    settingFlags,
    config,
    connect: (connection) => createClient(connection ?? connectionOf(config('CLIENT').config)),
  };
}

function exitCodeLines(): readonly string[] {
  return Object.values(EXIT_CODES).map(({ code, meaning }) => `  ${String(code).padEnd(4)} ${meaning}`);
}

function groupSummary(group: string): string {
  return COMMANDS.filter(({ name }) => name.startsWith(`${group} `))
    .map(({ name }) => name.slice(group.length + 1))
    .join(', ');
}
