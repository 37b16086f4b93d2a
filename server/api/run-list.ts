import type { Run, RunState as State, Trigger as TriggerName } from '../domain/run.ts';
import type { RunFilter as Filter } from '../store/store.ts';
import { builder } from './builder.ts';
import { connectionType } from './connections.ts';
import { enumOf } from './vocabulary.ts';

export const RunState = enumOf<State>('RunState', 'Where a run stands.', {
  QUEUED: 'None of its tasks has begun.',
  RUNNING: 'At work.',
  PAUSED: 'Nothing new is begun until it is resumed.',
  CANCELLING: 'Its running tasks are being stopped.',
  SUCCEEDED: 'Every task succeeded, or failed tolerably.',
  FAILED: 'A task failed.',
  CANCELLED: 'Somebody cancelled it.',
});

export const Trigger = enumOf<TriggerName>('Trigger', 'What set a run going.', {
  MANUAL: 'Somebody asked for it.',
  RETRY: 'It repeats an earlier run.',
});

export const RunRef = builder.objectRef<Run>('Run');
export const RunConnection = connectionType<Run>('Run', RunRef, 'runs');

export const RunFilter = builder.inputType('RunFilter', {
  description: 'Which runs. What is left out does not matter.',
  fields: (t) => ({
    pipeline: t.string({ required: false, description: 'The name of their pipeline.' }),
    pool: t.string({ required: false, description: 'The name of their pool.' }),
    states: t.field({ type: [RunState], required: false, description: 'Where they stand: any of these.' }),
    trigger: t.field({ type: Trigger, required: false, description: 'What set them going.' }),
    createdAfter: t.field({ type: 'DateTime', required: false, description: 'Created later than this.' }),
    createdBefore: t.field({ type: 'DateTime', required: false, description: 'Created earlier than this.' }),
  }),
});

/** The store's filter: what was left out or is null is absent. */
export function readRunFilter(filter: typeof RunFilter.$inferInput | null | undefined): Filter {
  const given = Object.entries(filter ?? {}).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(given);
}
