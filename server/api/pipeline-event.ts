import { builder } from './builder.ts';
import type { ApiContext, ApiPorts } from './context.ts';
import { PipelineRef } from './pipeline.ts';
import { source } from './source.ts';

interface PipelineEvent {
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Pipelines change rarely and by any server: the database is asked this often, while somebody follows. Milliseconds. */
const LOOK_MS = 1_000;

const PipelineEventRef = builder.objectRef<PipelineEvent>('PipelineEvent').implement({
  role: 'VIEWER',
  description: 'A pipeline has been applied, paused, resumed or deleted.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'What it is called.' }),
    at: t.expose('at', { type: 'DateTime', description: 'When.' }),
    pipeline: t.field({
      type: PipelineRef,
      nullable: true,
      description: 'As it is now; null when it has been deleted.',
      resolve: ({ name }, _, { loaders }) => loaders.pipelines.load(name),
    }),
  }),
});

/** What changes from now on. Of two changes of a pipeline within a second only the later one is told. */
async function* followPipelines(
  { store, clock }: Pick<ApiPorts, 'store' | 'clock'>,
  signal: AbortSignal,
): AsyncGenerator<PipelineEvent> {
  let lookedAt = clock.now();
  let since = lookedAt;
  // What has been told of the moment that is looked at again.
  let told = new Map((await store.pipelines.changedSince(since)).map(({ name, at }) => [name, at]));
  while (!signal.aborted) {
    const now = clock.now();
    // A clock that has been set back: what changes from now on bears an earlier time than what was told.
    if (now < lookedAt) since = Math.min(since, now);
    lookedAt = now;
    for (const change of await store.pipelines.changedSince(since)) {
      if (told.get(change.name) === change.at) continue;
      if (change.at > since) {
        since = change.at;
        told = new Map();
      }
      told.set(change.name, change.at);
      yield change;
    }
    await clock.sleep(LOOK_MS, signal).catch(() => undefined);
  }
}

builder.subscriptionFields((t) => ({
  pipelines: t.field({
    type: PipelineEventRef,
    role: 'VIEWER',
    description: 'Pipelines as they are applied, paused, resumed and deleted, from now on; within a second.',
    subscribe: (_, _args, context: ApiContext) => source(context, (signal) => followPipelines(context.ports, signal)),
    resolve: (event) => event,
  }),
}));
