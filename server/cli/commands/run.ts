import { payloadOf, type Client, type UnionMember } from '../client.ts';
import type { Command, Options } from '../command.ts';
import { EXIT_CODES } from '../exit-code.ts';
import { CommandFailure } from '../failure.ts';
import { paramTypes, readParams } from '../params.ts';
import { readParamsFile, refuseChanged } from '../params-file.ts';
import type { RunView } from '../run-progress.ts';
import { oneLine } from '../terminal-text.ts';
import { concludeWatching, watchRun } from '../watch-run.ts';

interface Triggered extends UnionMember {
  readonly run: RunView;
}
interface Refused extends UnionMember {
  readonly problems?: readonly { readonly message: string; readonly remedy: string | null }[];
}

export const run: Command = {
  name: 'run',
  summary: 'Triggers a run of a pipeline.',
  details:
    'A param is read as the type that the pipeline declares: text as it is, everything else as JSON. ' +
    'A number that would be changed is refused with its place, in a YAML file also one that would read otherwise (3.10), unless its param is a number. ' +
    'With --follow the command shows the run until it ends and exits with its outcome.',
  arguments: [{ name: 'pipeline', summary: 'The name of the pipeline.' }],
  options: [
    { flags: '-p, --param <name=value>', summary: 'A param of the run.', isRepeatable: true },
    { flags: '--params-file <path>', summary: 'A YAML or JSON file of params; --param wins over it.' },
    { flags: '--priority <number>', summary: 'From -100 to 100; higher goes first. The pipeline’s own when absent.' },
    { flags: '--idempotency-key <key>', summary: 'Triggering again with the same key gives the same run.' },
    { flags: '-f, --follow', summary: 'Shows the run until it ends.' },
  ],
  examples: [
    { command: 'gantry run word-count --param corpus=data/corpus.txt', meaning: 'trigger a run and print its id' },
    { command: 'gantry run word-count --follow', meaning: 'trigger a run, watch it, and exit with its outcome' },
    {
      command: 'gantry run nightly --idempotency-key 2026-11-20',
      meaning: 'trigger at most one run, however often it is repeated',
    },
  ],
  async run({ arguments: [pipeline = ''], options, context }) {
    const client = context.connect();
    const params = await paramsOf(options, client, pipeline, context.cwd);
    const input = {
      pipeline,
      params,
      ...optional('priority', readPriority(options.text('priority'))),
      ...optional('idempotencyKey', options.text('idempotencyKey')),
    };
    const { triggerRun } = await client.ask<{ readonly triggerRun: UnionMember }>('trigger-run', { input });
    const details = ((triggerRun as Refused).problems ?? []).map(
      ({ message, remedy }) => `  ${oneLine(message)}${remedy === null ? '' : ` ${oneLine(remedy)}`}`,
    );
    const remedy = triggerRun.__typename === 'PipelineNotFound' ? 'gantry pipelines lists them.' : null;
    const { run: triggered } = payloadOf<Triggered>(triggerRun, 'TriggerRunPayload', remedy, details);
    if (options.is('follow')) {
      context.output.note(`run ${triggered.id}`);
      return concludeWatching(await watchRun(client, triggered.id, context), triggered.id, context);
    }
    context.output.result(triggered, () => [triggered.id]);
    return EXIT_CODES.SUCCEEDED.code;
  },
};

/** What the file and the command line say; the command line wins. */
async function paramsOf(options: Options, client: Client, pipeline: string, cwd: string) {
  const path = options.text('paramsFile');
  const given = options.texts('param');
  const file = path === undefined ? null : readParamsFile(path, cwd);
  const isTyped = given.length > 0 || (file?.yaml?.written.length ?? 0) > 0;
  const types = isTyped ? await paramTypes(client, pipeline) : new Map<string, string>();
  if (file !== null) refuseChanged(path!, file, types);
  return { ...file?.params, ...readParams(given, types) };
}

function optional<Value>(name: string, value: Value | undefined): Record<string, Value> {
  return value === undefined ? {} : { [name]: value };
}

function readPriority(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^-?\d{1,3}$/.test(text)) return Number(text);
  throw new CommandFailure({ code: 'USAGE', message: `--priority must be a whole number, not “${text}”.` });
}
