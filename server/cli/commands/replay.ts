import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command, Context, Options } from '../command.ts';
import { EXIT_CODES } from '../exit-code.ts';
import { CommandFailure } from '../failure.ts';
import { jsonOption } from '../json-option.ts';
import { oneLine } from '../terminal-text.ts';
import { elapsedText } from '../time-text.ts';

/** How one scheduler did; the same for a file as for a pool. */
interface Row {
  readonly scheduler: string;
  readonly config: Choice['config'];
  readonly version: string;
  readonly faults: number;
  readonly tasks: number;
  /** Task runs of the period, and of the runs of it that were taken; absent for a file. */
  readonly recorded?: number;
  readonly sampled?: number;
  readonly ended: number;
  readonly makespanMs: number;
  readonly wait: Distribution;
  readonly slowdown: Distribution;
  readonly utilization: Shares;
  readonly fragmentation: Shares;
  readonly fairness: number;
  readonly preemptions: number;
  readonly deadlineMisses: number;
  readonly samples: readonly Sample[];
  readonly pending: readonly { readonly key: string; readonly message: string }[];
}
interface Distribution {
  readonly mean: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}
type Shares = Readonly<Record<string, number>>;
interface Sample {
  /** Milliseconds from the beginning. */
  readonly at: number;
  readonly pending: number;
  readonly running: number;
  readonly utilization: Shares;
  readonly fragmentation: Shares;
}

const DEFAULT_SCHEDULERS = ['round-robin', 'priority', 'bin-packing', 'spread', 'fair-share', 'critical-path'];

export const replay: Command = {
  name: 'replay',
  summary: 'Lets several schedulers do the same recorded work in virtual time, and compares them.',
  details:
    'With a file, no server is needed: a CSV of pods in the form of openb (Alibaba’s GPU cluster trace of 2023) with ' +
    '--nodes, or the JSON of a workflow in WfFormat 1.5. Without one, what a pool has done since --since is done again ' +
    'on its nodes of now; of a period with more than 20,000 task runs evenly spread stretches are taken, and how much that ' +
    'is is said. Durations are those that were recorded. The code that places is the one that places in earnest.',
  arguments: [{ name: 'trace', summary: 'A file; without it, a period of a pool.', isOptional: true }],
  options: [
    {
      flags: '-s, --scheduler <name>',
      summary: 'Who is to do it: `name` or `name={…config…}`. Default: all.',
      isRepeatable: true,
    },
    { flags: '--nodes <path>', summary: 'The CSV of nodes that goes with a CSV of pods.' },
    { flags: '--speed <factor>', summary: 'With a file: so many times faster does it arrive.', default: '1' },
    { flags: '--machines <number>', summary: 'Machines for a workflow, each with one task at a time.', default: '8' },
    {
      flags: '--deadline <factor>',
      summary: 'With a file: by then, in durations from its arrival, should each task have ended.',
    },
    {
      flags: '--save <path>',
      summary: 'Without a file: writes what the pool has done as a trace, to be replayed anywhere.',
    },
    {
      flags: '--plugin <source>',
      summary: 'A package or path of another scheduler plugin, with a file.',
      isRepeatable: true,
    },
    { flags: '--pool <name>', summary: 'Which pool, without a file.', default: 'default' },
    {
      flags: '--since <duration>',
      summary: 'Runs that were created so long ago at most, without a file.',
      default: '24h',
    },
  ],
  examples: [
    { command: 'gantry replay workflow.json --machines 8', meaning: 'a recorded workflow, by every scheduler' },
    {
      command: 'gantry replay pods.csv --nodes nodes.csv -s bin-packing -s spread',
      meaning: 'a cluster trace, by two',
    },
    { command: 'gantry replay --since 7d -s priority -s critical-path', meaning: 'the last week of a pool' },
    { command: 'gantry replay --since 7d -s priority --save week.json', meaning: 'and keep it as a file' },
  ],
  async run({ arguments: [trace], options, context }) {
    const choices = choicesIn(options.texts('scheduler'));
    const rows =
      trace === undefined
        ? await replayPeriod(choices, options, context)
        : await replayFile(trace, choices, options, context);
    context.output.result(rows, () => lines(rows, context));
    return EXIT_CODES.SUCCEEDED.code;
  },
};

interface Choice {
  readonly scheduler: string;
  readonly config: Readonly<Record<string, never>>;
}

function choicesIn(texts: readonly string[]): readonly Choice[] {
  return (texts.length === 0 ? DEFAULT_SCHEDULERS : texts).map((text) => {
    const equals = text.indexOf('=');
    if (equals < 0) return { scheduler: text, config: {} };
    return {
      scheduler: text.slice(0, equals),
      config: jsonOption('scheduler', text.slice(equals + 1)) as Choice['config'],
    };
  });
}

async function replayFile(
  trace: string,
  choices: readonly Choice[],
  options: Options,
  { cwd, output }: Context,
): Promise<readonly Row[]> {
  const machines = Number(options.text('machines'));
  if (!Number.isSafeInteger(machines) || machines < 1 || machines > 100_000) {
    throw new CommandFailure({ code: 'USAGE', message: '--machines must be a whole number from 1 to 100000.' });
  }
  const speed = Number(options.text('speed'));
  if (!(speed > 0 && Number.isFinite(speed))) {
    throw new CommandFailure({ code: 'USAGE', message: '--speed must be a number above 0.' });
  }
  const factor = options.text('deadline');
  const deadline = factor === undefined ? null : Number(factor);
  if (deadline !== null && !(deadline >= 1 && Number.isFinite(deadline))) {
    throw new CommandFailure({ code: 'USAGE', message: '--deadline must be a number from 1.' });
  }
  const nodes = options.text('nodes');
  const files = {
    trace: resolve(cwd, trace),
    nodes: nodes === undefined ? null : resolve(cwd, nodes),
    machines,
    speed,
    deadline,
  };
  const { replayTrace, TraceFault } = await import('../../replay.ts');
  try {
    const all = await replayTrace({ ...files, choices, plugins: options.texts('plugin') }, ({ scheduler }) =>
      output.note(`${scheduler} has done it`),
    );
    return all.map(({ summary, ...row }) => ({ ...row, ...summary, config: row.config as Row['config'] }));
  } catch (error) {
    if (!(error instanceof TraceFault)) throw error;
    throw new CommandFailure({ code: 'BAD_TRACE', message: error.message });
  }
}

interface Share {
  readonly resource: string;
  readonly share: number;
}
/** As the API tells it. */
interface Result {
  readonly choice: Choice;
  readonly version: string;
  readonly faults: number;
  readonly ended: number;
  readonly makespan: string;
  readonly waitMs: Distribution;
  readonly slowdown: Distribution;
  readonly utilization: readonly Share[];
  readonly fragmentation: readonly Share[];
  readonly fairness: number;
  readonly preemptions: number;
  readonly deadlineMisses: number;
  readonly pending: readonly { readonly taskRunId: string; readonly message: string }[];
  readonly samples: readonly {
    readonly at: string;
    readonly pending: number;
    readonly running: number;
    readonly utilization: readonly Share[];
    readonly fragmentation: readonly Share[];
  }[];
}

interface Replayed {
  readonly taskRunCount: number;
  readonly recordedCount: number;
  readonly sampledCount: number;
  readonly stretches: number;
  readonly results: readonly Result[];
  readonly trace?: unknown;
}
interface ReplayEvent {
  readonly phase: 'READING' | 'REPLAYING' | 'DONE';
  readonly share: number;
  readonly scheduler: string | null;
  readonly replay: Replayed | null;
}

async function replayPeriod(choices: readonly Choice[], options: Options, context: Context): Promise<readonly Row[]> {
  const from = new Date(context.now() - sinceMs(options.text('since') ?? '24h')).toISOString();
  const save = options.text('save');
  const input = { pool: options.text('pool'), from, schedulers: choices };
  const replayed = await watchReplay({ input, withTrace: save !== undefined }, context);
  if (save !== undefined) {
    writeFileSync(resolve(context.cwd, save), `${JSON.stringify(replayed.trace)}\n`);
    context.output.note(`${save} is written`);
  }
  const { recordedCount, sampledCount, stretches } = replayed;
  if (sampledCount < recordedCount) {
    context.output.note(
      `${sampledCount} of ${recordedCount} task runs were taken (${shareText(sampledCount / recordedCount)}): ` +
        `${stretches} stretches, evenly spread over the period, with the arrivals that they had and all nodes.`,
    );
  }
  return replayed.results.map(({ choice, makespan, waitMs, ...result }) => ({
    ...result,
    ...choice,
    tasks: replayed.taskRunCount,
    recorded: recordedCount,
    sampled: sampledCount,
    makespanMs: isoMs(makespan),
    wait: waitMs,
    ...sharesByName(result),
    samples: result.samples.map((sample) => ({ ...sample, at: isoMs(sample.at), ...sharesByName(sample) })),
    pending: result.pending.map(({ taskRunId, message }) => ({ key: taskRunId, message })),
  }));
}

const shareText = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;

/** Follows a replay to its end, and says how far it is. Ctrl-C ends it. */
async function watchReplay(variables: Readonly<Record<string, unknown>>, context: Context): Promise<Replayed> {
  const ending = new AbortController();
  const { output, now, sleep } = context;
  const off = context.onInterrupt(() => ending.abort());
  let told = '';
  try {
    const events = context.connect().follow<ReplayEvent>('replay', variables, {
      signal: ending.signal,
      cursorOf: () => '',
      eventOf: (data) => data['replay'] as ReplayEvent,
      now,
      sleep,
    });
    for await (const step of events) {
      if (step.kind !== 'EVENT') {
        output.note(
          step.kind === 'IN_CONTACT' ? 'in contact again: it begins anew' : 'no contact with the server; trying again',
        );
        continue;
      }
      const { phase, share, scheduler, replay: replayed } = step.event;
      if (replayed !== null) return replayed;
      const what = phase === 'READING' ? 'reading the period' : `${scheduler} is at it`;
      // A line for each tenth, so that it can be read afterwards.
      const line = `${what}, ${10 * Math.floor(10 * share)} % of all`;
      if (line !== told) output.note(line);
      told = line;
    }
  } finally {
    off();
    ending.abort();
  }
  throw new CommandFailure({ code: 'INTERRUPTED', message: 'The replay was ended before it was done.' });
}

function sharesByName({ utilization, fragmentation }: Pick<Result, 'utilization' | 'fragmentation'>) {
  const byName = (shares: readonly Share[]): Shares =>
    Object.fromEntries(shares.map(({ resource, share }) => [resource, share]));
  return { utilization: byName(utilization), fragmentation: byName(fragmentation) };
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function sinceMs(text: string): number {
  const [, count, unit] = /^(\d+)([smhd])$/.exec(text) ?? [];
  if (count !== undefined) return Number(count) * UNITS[unit!]!;
  throw new CommandFailure({
    code: 'USAGE',
    message: `--since takes a duration such as 30m, 24h or 7d, not “${text}”.`,
  });
}

/** `PT1H2M3.5S`, as the API writes durations. */
function isoMs(text: string): number {
  const [, days = 0, hours = 0, minutes = 0, seconds = 0] =
    /^P(?:(\d+)D)?T?(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?$/.exec(text) ?? [];
  return Number(days) * 86_400_000 + Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Number(seconds) * 1_000;
}

function lines(rows: readonly Row[], { output }: Context): readonly string[] {
  const resources = [...new Set(rows.flatMap(({ utilization }) => Object.keys(utilization)))].sort();
  const percent = (share: number | undefined) => (share === undefined ? '' : `${(100 * share).toFixed(1)} %`);
  const table = output.table<Row>(
    [
      { heading: 'scheduler', value: ({ scheduler, version }) => `${scheduler} ${version}` },
      { heading: 'ended', value: ({ ended, tasks }) => `${ended}/${tasks}`, alignsRight: true },
      { heading: 'makespan', value: ({ makespanMs }) => elapsedText(makespanMs), alignsRight: true },
      { heading: 'wait p50', value: ({ wait }) => elapsedText(wait.p50), alignsRight: true },
      { heading: 'p95', value: ({ wait }) => elapsedText(wait.p95), alignsRight: true },
      { heading: 'p99', value: ({ wait }) => elapsedText(wait.p99), alignsRight: true },
      { heading: 'slowdown', value: ({ slowdown }) => slowdown.mean.toFixed(2), alignsRight: true },
      { heading: 'fairness', value: ({ fairness }) => fairness.toFixed(3), alignsRight: true },
      ...resources.map((resource) => ({
        heading: `${resource} used`,
        value: ({ utilization }: Row) => percent(utilization[resource]),
        alignsRight: true,
      })),
      ...resources.map((resource) => ({
        heading: `${resource} stranded`,
        value: ({ fragmentation }: Row) => percent(fragmentation[resource]),
        alignsRight: true,
      })),
      { heading: 'late', value: ({ deadlineMisses }) => deadlineMisses, alignsRight: true },
      { heading: 'preempted', value: ({ preemptions }) => preemptions, alignsRight: true },
      { heading: 'faults', value: ({ faults }) => faults, alignsRight: true },
    ],
    rows,
    'Nothing.',
  );
  return output.rendering === 'HUMAN' ? [...table, ...rows.flatMap(pendingLines)] : table;
}

/** Why what never started waited: a few of each scheduler’s. */
function pendingLines({ scheduler, pending, tasks, ended }: Row): readonly string[] {
  if (pending.length === 0) return [];
  const reasons = pending.slice(0, 3).map(({ key, message }) => `- ${oneLine(key)}: ${oneLine(message)}`);
  return ['', `Of ${tasks} tasks, ${tasks - ended} never ended with ${scheduler}. The first that waited:`, ...reasons];
}
