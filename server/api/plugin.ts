import { builder } from './builder.ts';
import type { PluginFacts } from './context.ts';
import { enumOf, ReasonRef } from './vocabulary.ts';

const PluginKind = enumOf<NonNullable<PluginFacts['kind']>>('PluginKind', 'What a plugin does.', {
  SCHEDULER: 'Decides which task run goes to which node.',
  RUNNER: 'Executes attempts on a node.',
});

const PluginState = enumOf<PluginFacts['state']>('PluginState', 'Whether a plugin can be used.', {
  LOADED: 'It can.',
  FAILED: 'It could not be loaded.',
  INCOMPATIBLE: 'It was built for a contract that this server does not speak.',
});

const PluginRef = builder.objectRef<PluginFacts>('Plugin').implement({
  role: 'VIEWER',
  description: 'A scheduler or runner that this server knows.',
  fields: (t) => ({
    kind: t.expose('kind', {
      type: PluginKind,
      nullable: true,
      description: 'What it does; null when it failed before it could say.',
    }),
    name: t.exposeString('name', { description: 'What people write: `scheduler: bin-packing`.' }),
    version: t.exposeString('version', { description: 'Its own version.' }),
    contract: t.exposeString('contract', { description: 'The plugin contract that it was built with.' }),
    summary: t.exposeString('summary', { description: 'What it is for, in one sentence.' }),
    configSchema: t.field({
      type: 'JSON',
      nullable: true,
      description: 'JSON Schema of its config; null when it could not be loaded.',
      resolve: ({ configSchema }) => configSchema,
    }),
    state: t.expose('state', { type: PluginState, description: 'Whether it can be used.' }),
    reason: t.field({
      type: ReasonRef,
      nullable: true,
      description: 'Why it cannot.',
      resolve: ({ reason }) => reason,
    }),
  }),
});

builder.queryFields((t) => ({
  plugins: t.field({
    type: [PluginRef],
    role: 'VIEWER',
    args: { kind: t.arg({ type: PluginKind, required: false, description: 'Only those that do this.' }) },
    description: 'The plugins that this server knows, also those that failed to load.',
    resolve: (_, { kind }, { ports }) =>
      ports.plugins.list().filter((plugin) => kind === null || kind === undefined || plugin.kind === kind),
  }),
}));
