import type { KeptRuns, RetentionSetting } from '../domain/retention.ts';
import { parseDuration } from '../domain/time.ts';
import { builder } from './builder.ts';
import type { ApiContext } from './context.ts';
import { badInput, resultType, type Refusal } from './errors.ts';
import { pipelineNotFound, PipelineNotFoundRef } from './pipeline-refusals.ts';
import { RetentionSettingRef } from './storage.ts';
import { PoolNotFoundRef } from './update-pool.ts';

/** The most runs that a rule may keep. */
const MAX_RUNS = 1_000_000_000;

interface Set {
  readonly setting: RetentionSetting | null;
}
const SetRetentionPayload = builder.objectRef<Set>('SetRetentionPayload').implement({
  role: 'VIEWER',
  description: 'The rule holds from the next sweep on.',
  fields: (t) => ({
    setting: t.field({
      type: RetentionSettingRef,
      nullable: true,
      description: 'What is set now; null after it was taken off.',
      resolve: ({ setting }) => setting,
    }),
  }),
});
const SetRetentionResult = builder.unionType('SetRetentionResult', {
  description: 'What became of `setRetention`.',
  types: [SetRetentionPayload, PipelineNotFoundRef, PoolNotFoundRef],
  resolveType: resultType('SetRetentionPayload'),
});
const SetRetentionInput = builder.inputType('SetRetentionInput', {
  description: 'What is to be kept of the runs of one pool or one pipeline. Name exactly one of the two.',
  fields: (t) => ({
    pipeline: t.string({ required: false, description: 'The name of a pipeline.' }),
    pool: t.string({ required: false, description: 'The name of a pool.' }),
    age: t.string({
      required: false,
      description:
        'How long after its end a run is deleted: a duration such as `30d`, or `never`. Left out: as the pool or the server says.',
    }),
    runs: t.string({
      required: false,
      description:
        'How many of the newest runs are kept of each pipeline: a whole number from 1, or `never`. Left out: as the pool or the server says.',
    }),
  }),
});

function readAge(age: string | null | undefined): KeptRuns['age'] {
  if (age === null || age === undefined) return null;
  if (age === 'never') return 'NEVER';
  const parsed = parseDuration(age);
  if (!parsed.ok) throw badInput(`\`age\` is a duration such as 30d, or never. ${parsed.reason.message}`);
  return parsed.ms;
}

function readRuns(runs: string | null | undefined): KeptRuns['runs'] {
  if (runs === null || runs === undefined) return null;
  if (runs === 'never') return 'NEVER';
  const count = /^\d{1,10}$/.test(runs) ? Number(runs) : 0;
  if (count < 1 || count > MAX_RUNS) throw badInput(`\`runs\` is a whole number from 1 to ${MAX_RUNS}, or never.`);
  return count;
}

async function setRetention(
  { pipeline, pool, age, runs }: typeof SetRetentionInput.$inferInput,
  { ports, loaders, viewer }: ApiContext,
): Promise<Set | Refusal<'PipelineNotFound'> | Refusal<'PoolNotFound'>> {
  const kept = { age: readAge(age), runs: readRuns(runs) };
  const name = pipeline ?? pool;
  if (name === null || name === undefined || ((pipeline ?? null) === null) === ((pool ?? null) === null)) {
    throw badInput('Name either `pipeline` or `pool`.');
  }
  const isPool = name === pool && (pipeline ?? null) === null;
  if (isPool && (await loaders.pools.load(name)) === null) {
    const message = `There is no pool “${name.slice(0, 64)}”. \`pools\` lists what there is.`;
    return { refusal: 'PoolNotFound', message };
  }
  // A rule is taken off also where the pipeline has been deleted.
  const isTakenOff = kept.age === null && kept.runs === null;
  if (!isPool && !isTakenOff && (await loaders.pipelines.load(name)) === null) return pipelineNotFound(name);
  const scope = isPool ? 'POOL' : 'PIPELINE';
  await ports.store.retention.set(scope, name, kept, viewer.name, ports.clock.now());
  const { settings } = await ports.retention.status();
  return { setting: settings.find((setting) => setting.scope === scope && setting.name === name) ?? null };
}

builder.mutationFields((t) => ({
  setRetention: t.field({
    type: SetRetentionResult,
    role: 'ADMIN',
    args: { input: t.arg({ type: SetRetentionInput, description: 'Of what, and what is kept.' }) },
    description:
      'Sets what is kept of the runs of a pool or pipeline. The most specific rule wins, separately for age and number: pipeline, pool, server. With neither `age` nor `runs` the rule is taken off.',
    resolve: (_, { input }, context) => setRetention(input, context),
  }),
}));
