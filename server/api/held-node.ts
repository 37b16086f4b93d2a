import { parseTaskRunId } from '../domain/ids.ts';
import type { HeldNode } from '../placement/scheduler.ts';
import { builder } from './builder.ts';
import { PoolRef } from './pool.ts';
import { TaskRunRef } from './task-run-list.ts';

const HeldNodeRef = builder.objectRef<HeldNode>('HeldNode').implement({
  role: 'VIEWER',
  description: 'A node that is kept for a task run that has waited long and fits nowhere now.',
  fields: (t) => ({
    nodeName: t.exposeString('node', { description: 'The name of the node.' }),
    since: t.expose('since', { type: 'DateTime', description: 'Since when it is held.' }),
    taskRun: t.field({
      type: TaskRunRef,
      nullable: true,
      description: 'Whom it is held for; null for one that has just been made, and is not stored yet.',
      resolve: ({ taskRun }, _, { loaders }) => loaders.taskRuns.load(parseTaskRunId(taskRun)!),
    }),
  }),
});

builder.objectFields(PoolRef, (t) => ({
  heldNodes: t.field({
    type: [HeldNodeRef],
    nullable: true,
    description:
      'Nodes that the scheduler holds: nothing is placed there that comes after whom they are held for. Null when ' +
      'another server runs the pool.',
    resolve: ({ name }, _, { ports }) => {
      const status = ports.placement.status(name);
      return status && [...status.heldNodes];
    },
  }),
}));
