import type { JsonObject, Problem } from '@gantry/plugin-kit/vocabulary';
import type { Pool, SchedulerChoice } from '../domain/pool.ts';
import { builder } from './builder.ts';
import type { ApiContext } from './context.ts';
import { badInput, ErrorInterface, refusalType, resultType, type Refusal } from './errors.ts';
import { planOfSwap, type SwapPlan } from './plan-swap.ts';
import { PoolRef, SchedulerChoiceRef } from './pool.ts';
import { ProblemRef } from './vocabulary.ts';

export const PoolNotFoundRef = refusalType('PoolNotFound', 'There is no pool of this name.');

interface InvalidScheduler extends Refusal<'InvalidScheduler'> {
  readonly problems: readonly Problem[];
}
const InvalidSchedulerRef = builder.objectRef<InvalidScheduler>('InvalidScheduler').implement({
  role: 'VIEWER',
  description: 'There is no such scheduler, or it does not take this config. Nothing was changed.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    problems: t.field({ type: [ProblemRef], description: 'What is wrong.', resolve: ({ problems }) => [...problems] }),
  }),
});

const SwapPlanRef = builder.objectRef<SwapPlan>('SchedulerSwapPlan').implement({
  role: 'VIEWER',
  description: 'What another scheduler would change, judged by what has been decided lately.',
  fields: (t) => ({
    before: t.field({
      type: SchedulerChoiceRef,
      description: 'The scheduler of now.',
      resolve: ({ before }) => before,
    }),
    after: t.field({ type: SchedulerChoiceRef, description: 'The one to come.', resolve: ({ after }) => after }),
    queueLength: t.exposeInt('queueLength', {
      nullable: true,
      description: 'How many task runs wait, and will be offered to it; null when another server runs the pool.',
    }),
    decisionsReviewed: t.exposeInt('decisionsReviewed', {
      description: 'How many of the last decisions it was asked to make again, each from what it was made from.',
    }),
    placementsReviewed: t.exposeInt('placementsReviewed', { description: 'How many task runs these placed.' }),
    placementsThen: t.exposeInt('placementsThen', { description: 'How many it would have placed in their stead.' }),
    differenceCount: t.exposeInt('differenceCount', {
      description: 'How many task runs it would have sent elsewhere.',
    }),
    problem: t.exposeString('problem', {
      nullable: true,
      description: 'Why it could not be asked: it threw, for instance.',
    }),
  }),
});

interface Updated {
  readonly pool: Pool;
  readonly plan: SwapPlan;
  readonly isApplied: boolean;
}
const UpdatePoolPayload = builder.objectRef<Updated>('UpdatePoolPayload').implement({
  role: 'VIEWER',
  description: 'The pool is as it was asked to be from the next placement on, or would be but for `dryRun`.',
  fields: (t) => ({
    pool: t.field({ type: PoolRef, description: 'The pool as it is now.', resolve: ({ pool }) => pool }),
    plan: t.field({
      type: SwapPlanRef,
      description: 'What changes, and how to change it back.',
      resolve: ({ plan }) => plan,
    }),
    isApplied: t.exposeBoolean('isApplied', { description: 'False after a dry run.' }),
  }),
});

const UpdatePoolResult = builder.unionType('UpdatePoolResult', {
  description: 'What became of `updatePool`.',
  types: [UpdatePoolPayload, PoolNotFoundRef, InvalidSchedulerRef],
  resolveType: resultType('UpdatePoolPayload'),
});

/** A scheduler and its config, as it is handed in. */
export const SchedulerChoiceInput = builder.inputType('SchedulerChoiceInput', {
  description: 'A scheduler and its config.',
  fields: (t) => ({
    scheduler: t.string({ description: 'The plugin’s name.' }),
    config: t.field({ type: 'JSON', required: false, description: 'Its config; default: {}.' }),
  }),
});

const UpdatePoolInput = builder.inputType('UpdatePoolInput', {
  description: 'What a pool is to be. What is left out stays as it is.',
  fields: (t) => ({
    name: t.string({ description: 'Which pool.' }),
    scheduler: t.string({ required: false, description: 'The plugin that is to decide from now on.' }),
    config: t.field({
      type: 'JSON',
      required: false,
      description: 'Its config, in whole. With another scheduler and without this: {}.',
    }),
    shadow: t.field({
      type: SchedulerChoiceInput,
      required: false,
      description: 'A scheduler that is to decide beside it, to be compared; null takes it off.',
    }),
    idempotent: t.boolean({
      required: false,
      description:
        'Whether tasks that do not say so themselves may be done again when nobody knows what an attempt has done; ' +
        'null lets their runner say so.',
    }),
    dryRun: t.boolean({
      required: false,
      defaultValue: false,
      description: 'Tell what would change, and change nothing.',
    }),
  }),
});

type Input = typeof UpdatePoolInput.$inferInput;

async function updatePool(
  input: Input,
  { ports, loaders, viewer }: ApiContext,
): Promise<Updated | InvalidScheduler | Refusal<'PoolNotFound'>> {
  const pool = await loaders.pools.load(input.name);
  if (pool === null) {
    const message = `There is no pool “${input.name.slice(0, 64)}”. \`pools\` lists what there is.`;
    return { refusal: 'PoolNotFound', message };
  }
  const after = choiceOf(input, pool);
  const shadow = shadowOf(input, pool);
  const problems = [after, ...(shadow ? [shadow] : [])].flatMap((choice) => ports.schedulers.check(choice));
  if (problems.length > 0) {
    const message = `The pool was not changed. ${problems[0]!.message} ${problems[0]!.remedy ?? ''}`.trimEnd();
    return { refusal: 'InvalidScheduler', message, problems };
  }
  const plan = await planOfSwap(pool, after, ports);
  if (input.dryRun === true) return { pool, plan, isApplied: false };
  const { scheduler, config, idempotent } = input;
  // Otherwise the scheduler stays the one that it is, with all that it remembers.
  const isSwap = (scheduler ?? config ?? null) !== null || input.shadow !== undefined;
  const said = idempotent === undefined ? {} : { idempotent };
  if (isSwap || idempotent !== undefined) {
    const update = isSwap || idempotent === undefined ? { ...after, shadow } : null;
    await ports.commands.submit(pool.name, { type: 'UPDATE_POOL', update, ...said }, viewer.name);
  }
  const updated = await loaders.pools.clear(pool.name).load(pool.name);
  return { pool: updated ?? pool, plan, isApplied: true };
}

function choiceOf({ scheduler, config }: Input, pool: Pool): SchedulerChoice {
  const name = scheduler ?? pool.scheduler;
  const unchanged = name === pool.scheduler ? pool.schedulerConfig : {};
  return { scheduler: name, config: objectOf(config ?? unchanged, 'config') };
}

function shadowOf({ shadow }: Input, pool: Pool): SchedulerChoice | null {
  if (shadow === undefined) return pool.shadow;
  return shadow && { scheduler: shadow.scheduler, config: objectOf(shadow.config ?? {}, 'shadow.config') };
}

/** An object, or a refusal that names it. */
export function objectOf(value: unknown, name: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw badInput(`\`${name}\` must be an object: {}.`);
}

builder.mutationFields((t) => ({
  updatePool: t.field({
    type: UpdatePoolResult,
    role: 'ADMIN',
    args: { input: t.arg({ type: UpdatePoolInput, description: 'Which pool, and what is to change.' }) },
    description:
      'Gives a pool another scheduler, config, shadow or default for its tasks. What waits keeps its place and is offered to the new ' +
      'scheduler; what runs goes on. `plan.before` is what to hand in to go back.',
    resolve: (_, { input }, context) => updatePool(input, context),
  }),
}));
