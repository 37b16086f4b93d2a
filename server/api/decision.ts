import type { JsonObject } from '@gantry/plugin-kit/vocabulary';
import type { StoredDecision } from '../domain/decision.ts';
import type { Difference, Rerun } from '../placement/rerun.ts';
import { builder } from './builder.ts';
import { badInput } from './errors.ts';
import { ReasonRef } from './vocabulary.ts';

/** A decision's id: `<pool>:<sequence>`. */
export const decisionId = ({ pool, seq }: Pick<StoredDecision, 'pool' | 'seq'>): string => `${pool}:${seq}`;

function readDecisionId(id: string): { readonly pool: string; readonly seq: number } | null {
  const [, pool, seq] = /^([^:]{1,100}):(\d{1,15})$/.exec(id) ?? [];
  return pool === undefined ? null : { pool, seq: Number(seq) };
}

const DecidedPlacementRef = builder
  .objectRef<{ readonly taskRun: string; readonly node: string }>('DecidedPlacement')
  .implement({
    role: 'VIEWER',
    description: 'Where a scheduler sent a task run.',
    fields: (t) => ({
      taskRunId: t.exposeID('taskRun', { description: 'The task run.' }),
      nodeName: t.exposeString('node', { description: 'The node.' }),
    }),
  });

const DifferenceRef = builder.objectRef<Difference>('DecisionDifference').implement({
  role: 'VIEWER',
  description: 'A task run that would go elsewhere when decided again.',
  fields: (t) => ({
    taskRunId: t.exposeID('taskRun', { description: 'The task run.' }),
    before: t.exposeString('before', { nullable: true, description: 'The node it went to; null for none.' }),
    now: t.exposeString('now', { nullable: true, description: 'The node it would go to; null for none.' }),
  }),
});

interface RerunView extends Rerun {
  readonly version: string;
  readonly note: { readonly code: string; readonly message: string } | null;
}

const MAX_LISTED = 1_000;

const RerunRef = builder.objectRef<RerunView>('DecisionRerun').implement({
  role: 'VIEWER',
  description: 'A decision made again from what it was made from.',
  fields: (t) => ({
    isIdentical: t.exposeBoolean('isIdentical', { description: 'Whether every task run would go where it went.' }),
    schedulerVersion: t.exposeString('version', { description: 'The version of the scheduler that decided again.' }),
    note: t.field({ type: ReasonRef, nullable: true, description: 'What else differs.', resolve: ({ note }) => note }),
    placedBefore: t.exposeInt('placedBefore', { description: 'How many were placed then.' }),
    placedNow: t.exposeInt('placedNow', { description: 'How many would be placed now.' }),
    differenceCount: t.int({ description: 'How many differ.', resolve: ({ differences }) => differences.length }),
    differences: t.field({
      type: [DifferenceRef],
      description: `The first ${MAX_LISTED} that differ.`,
      resolve: ({ differences }) => differences.slice(0, MAX_LISTED),
    }),
  }),
});

export const DecisionRef = builder.objectRef<StoredDecision>('Decision').implement({
  role: 'VIEWER',
  description: 'One call of a scheduler that placed something: what decided, from what, and what came of it.',
  fields: (t) => ({
    id: t.id({ description: '`<pool>:<sequence>`.', resolve: decisionId }),
    at: t.expose('at', { type: 'DateTime', description: 'When it was made.' }),
    poolName: t.exposeString('pool', { description: 'Its pool.' }),
    schedulerName: t.exposeString('scheduler', { description: 'The plugin that was asked.' }),
    schedulerVersion: t.exposeString('version', { description: 'The plugin’s version.' }),
    configHash: t.exposeString('configHash', { description: 'SHA-256 of its config as JSON, in hex.' }),
    seed: t.exposeFloat('seed', { description: 'What chance it had.' }),
    offered: t.exposeInt('offered', { description: 'How many task runs it was offered.' }),
    placed: t.exposeInt('placed', { description: 'How many of them were placed.' }),
    isKept: t.boolean({
      description: 'Whether all that it was made from was kept; not when very much was decided at that time.',
      resolve: ({ call }) => call !== null,
    }),
    placements: t.field({
      type: [DecidedPlacementRef],
      nullable: true,
      description: `Where the first ${MAX_LISTED} went; null when it was not kept.`,
      resolve: (decision, _, { ports }) => ports.decisions.placements(decision)?.slice(0, MAX_LISTED) ?? null,
    }),
    rerun: t.field({
      type: RerunRef,
      args: {
        scheduler: t.arg.string({ required: false, description: 'Another scheduler; without it, the same.' }),
        config: t.arg({ type: 'JSON', required: false, description: 'Another config for it; default: {}.' }),
      },
      description: 'Decides again: by the same plugin, config and seed, or by another scheduler. Changes nothing.',
      resolve: (decision, { scheduler, config }, { ports }) => {
        const given = (config ?? null) as JsonObject | null;
        const answer = ports.decisions.rerun(decision, scheduler ?? null, given);
        if (!answer.ok) throw badInput(`${answer.reason.message} ${answer.reason.remedy ?? ''}`.trim());
        return answer;
      },
    }),
  }),
});

builder.queryFields((t) => ({
  decision: t.field({
    type: DecisionRef,
    role: 'VIEWER',
    nullable: true,
    args: { id: t.arg.id({ description: '`<pool>:<sequence>`, as `placement.decision` has it.' }) },
    description: 'One decision of a scheduler; null when it is not known (any more).',
    resolve: (_, { id }, { ports }) => {
      const key = readDecisionId(id);
      return key && ports.store.decisions.bySeq(key.pool, key.seq);
    },
  }),
}));
