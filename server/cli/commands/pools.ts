import { payloadOf, type UnionMember } from '../client.ts';
import type { Command, Options } from '../command.ts';
import { EXIT_CODES } from '../exit-code.ts';
import { jsonOption } from '../json-option.ts';
import type { ReasonView } from '../run-progress.ts';
import { oneLine } from '../terminal-text.ts';

interface PoolView {
  readonly name: string;
  readonly queueLength: number | null;
  readonly scheduler: {
    readonly name: string;
    readonly version: string | null;
    readonly state: string | null;
    readonly reason: ReasonView | null;
  };
  readonly heldNodes:
    | readonly {
        readonly nodeName: string;
        readonly taskRun: { readonly taskKey: string; readonly mapIndex: number | null; readonly runId: string } | null;
      }[]
    | null;
  readonly idempotent: boolean | null;
  readonly shadow: {
    readonly name: string;
    readonly compared: number;
    readonly divergenceCount: number;
  } | null;
}

export const pools: Command = {
  name: 'pools',
  summary: 'Lists pools: scheduler, queue, shadow.',
  examples: [{ command: 'gantry pools', meaning: 'every pool' }],
  async run({ context }) {
    const { output } = context;
    const { pools: found } = await context.connect().ask<{ readonly pools: readonly PoolView[] }>('pools', {});
    output.result(found, () =>
      output.table<PoolView>(
        [
          { heading: 'pool', value: ({ name }) => name },
          { heading: 'scheduler', value: ({ scheduler }) => `${scheduler.name} ${scheduler.version ?? ''}`.trimEnd() },
          { heading: 'state', value: ({ scheduler }) => scheduler.state ?? '' },
          { heading: 'queue', value: ({ queueLength }) => queueLength ?? '', alignsRight: true },
          { heading: 'held nodes', value: heldText },
          { heading: 'idempotent', value: ({ idempotent }) => (idempotent === null ? '' : String(idempotent)) },
          { heading: 'shadow', value: shadowText },
          { heading: 'why', value: ({ scheduler }) => scheduler.reason?.message ?? '' },
        ],
        found,
        'No pools.',
      ),
    );
    return EXIT_CODES.SUCCEEDED.code;
  },
};

/** `b for train[0]`, each. */
function heldText({ heldNodes }: PoolView): string {
  const texts = (heldNodes ?? []).map(({ nodeName, taskRun }) => {
    if (taskRun === null) return nodeName;
    const { taskKey, mapIndex } = taskRun;
    return `${nodeName} for ${mapIndex === null ? taskKey : `${taskKey}[${mapIndex}]`}`;
  });
  return texts.join(', ');
}

function shadowText({ shadow }: PoolView): string {
  if (shadow === null) return '';
  const { name, compared, divergenceCount } = shadow;
  return `${name}: elsewhere ${divergenceCount} of ${compared}`;
}

interface Choice {
  readonly scheduler: string;
  readonly config: unknown;
}
interface Updated extends UnionMember {
  readonly isApplied: boolean;
  readonly pool: {
    readonly name: string;
    readonly idempotent: boolean | null;
    readonly shadow: { readonly name: string } | null;
  };
  readonly plan: {
    readonly before: Choice;
    readonly after: Choice;
    readonly queueLength: number | null;
    readonly decisionsReviewed: number;
    readonly placementsReviewed: number;
    readonly placementsThen: number;
    readonly differenceCount: number;
    readonly problem: string | null;
  };
}

export const updatePool: Command = {
  name: 'update-pool',
  summary: 'Gives a pool another scheduler, config, shadow or default, while it works.',
  details:
    'What waits keeps its place and is offered to the new scheduler; what runs goes on. First it tells how the new ' +
    'scheduler would have decided what was decided lately; with --dry-run that is all.',
  arguments: [{ name: 'pool', summary: 'The name of the pool.' }],
  options: [
    { flags: '--scheduler <name>', summary: 'The scheduler that is to decide from now on.' },
    { flags: '--scheduler-config <json>', summary: 'Its config, in whole. With another scheduler the default is {}.' },
    { flags: '--shadow <name>', summary: 'A scheduler that is to decide beside it, to be compared.' },
    { flags: '--shadow-config <json>', summary: 'The config of the shadow.' },
    { flags: '--without-shadow', summary: 'Takes the shadow off.' },
    {
      flags: '--idempotent <what>',
      summary: 'Whether tasks that do not say so themselves may be done again when nobody knows what was done.',
      choices: ['true', 'false', 'unset'],
    },
    { flags: '--dry-run', summary: 'Tells what would change, and changes nothing.' },
  ],
  examples: [
    { command: 'gantry update-pool default --scheduler bin-packing --dry-run', meaning: 'what would change' },
    { command: 'gantry update-pool default --scheduler bin-packing', meaning: 'change it' },
    { command: 'gantry update-pool default --shadow spread', meaning: 'let another decide beside it' },
    { command: 'gantry update-pool default --idempotent false', meaning: 'repeat nothing that may have been done' },
  ],
  async run({ arguments: [name = ''], options, context }) {
    const input = {
      name,
      ...choiceIn(options),
      ...shadowIn(options),
      ...idempotentIn(options),
      dryRun: options.is('dryRun'),
    };
    const answer = await context.connect().ask<{ readonly updatePool: UnionMember }>('update-pool', { input });
    const updated = payloadOf<Updated>(
      answer.updatePool,
      'UpdatePoolPayload',
      'gantry pools and gantry plugins list them.',
    );
    context.output.result(updated, () => lines(updated));
    return EXIT_CODES.SUCCEEDED.code;
  },
};

function choiceIn(options: Options): Readonly<Record<string, unknown>> {
  const scheduler = options.text('scheduler');
  const config = options.text('schedulerConfig');
  return {
    ...(scheduler === undefined ? {} : { scheduler }),
    ...(config === undefined ? {} : { config: jsonOption('scheduler-config', config) }),
  };
}

function shadowIn(options: Options): Readonly<Record<string, unknown>> {
  const scheduler = options.text('shadow');
  if (scheduler === undefined) return options.is('withoutShadow') ? { shadow: null } : {};
  return { shadow: { scheduler, config: jsonOption('shadow-config', options.text('shadowConfig') ?? '{}') } };
}

function idempotentIn(options: Options): Readonly<Record<string, unknown>> {
  const said = options.text('idempotent');
  if (said === undefined) return {};
  return { idempotent: said === 'unset' ? null : said === 'true' };
}

function lines({ isApplied, pool, plan }: Updated): readonly string[] {
  const text = ({ scheduler, config }: Choice) => `${oneLine(scheduler)} ${JSON.stringify(config)}`;
  const { before, after, queueLength, decisionsReviewed, placementsReviewed, placementsThen, differenceCount } = plan;
  const said = [`${oneLine(pool.name)}: ${text(before)} → ${text(after)}${isApplied ? '' : ' (not applied)'}`];
  if (queueLength !== null) said.push(`${queueLength} task runs wait and keep their places.`);
  if (plan.problem !== null) said.push(`It could not decide again: ${oneLine(plan.problem)}`);
  else if (decisionsReviewed > 0) {
    said.push(
      `Of the last ${decisionsReviewed} decisions, which placed ${placementsReviewed} task runs, it would have placed ` +
        `${placementsThen}, and ${differenceCount} elsewhere.`,
    );
  }
  if (pool.shadow !== null) said.push(`${oneLine(pool.shadow.name)} decides beside it.`);
  if (pool.idempotent !== null) {
    const verb = pool.idempotent ? 'are' : 'are not';
    said.push(`Tasks that do not say so themselves ${verb} repeated when nobody knows what was done.`);
  }
  return said;
}
