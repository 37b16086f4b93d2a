import { defineScheduler } from '@gantry/plugin-kit/scheduler';

/** Never answers a call with a task whose key begins with `hang`; ends its thread for `exit`. */
export default defineScheduler({
  name: 'hangs',
  version: '0.0.1',
  summary: 'Is wrong: hangs.',
  config: { jsonSchema: {}, check: (config: unknown) => ({ ok: true as const, config }) },
  place({ tasks, memory }) {
    while (tasks.some(({ key }) => key.startsWith('hang'))) Math.random();
    if (tasks.some(({ key }) => key.startsWith('exit'))) process.exit(3);
    if (tasks.some(({ key }) => key.startsWith('throw'))) throw new Error('out of luck');
    return { decisions: tasks.map(({ key }) => ({ task: key, node: 0 })), memory };
  },
});
