import type { Pool } from '../domain/pool.ts';
import { builder } from './builder.ts';
import type { ApiPorts } from './context.ts';
import { notFound } from './errors.ts';
import { createLoaders } from './loaders.ts';
import { PoolRef } from './pool.ts';
import { source } from './source.ts';

const MIN_PAUSE_MS = 1_000;

/** The pool now, and again whenever it, its scheduler's counts or its queue's length have changed. */
async function* changesOf(name: string, ports: ApiPorts, signal: AbortSignal): AsyncGenerator<Pool, void, void> {
  let before = '';
  while (!signal.aborted) {
    const pool = await createLoaders(ports.store).pools.load(name);
    if (pool === null) return;
    // What the scheduler remembers is nobody's business.
    const text = JSON.stringify([{ ...pool, schedulerMemory: null }, ports.placement.status(name)]);
    if (text !== before) yield pool;
    before = text;
    await ports.clock.sleep(MIN_PAUSE_MS, signal).catch(() => undefined);
  }
}

builder.subscriptionFields((t) => ({
  pool: t.field({
    type: PoolRef,
    role: 'VIEWER',
    args: { name: t.arg.string({ description: 'What it is called.' }) },
    description:
      'A pool: now, and whenever its scheduler, its counts, its shadow or the length of its queue have changed, at most ' +
      'once a second.',
    subscribe: async (_, { name }, context) => {
      if ((await context.loaders.pools.load(name)) === null) {
        throw notFound(`There is no pool “${name.slice(0, 64)}”. \`pools\` lists what there is.`);
      }
      return source(context, (signal) => changesOf(name, context.ports, signal));
    },
    resolve: (pool) => pool,
  }),
}));
