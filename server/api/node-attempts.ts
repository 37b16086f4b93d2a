import type { EndedAttempt, Page } from '../store/store.ts';
import { AttemptRef, placedAttempt, type PlacedAttempt } from './attempt.ts';
import { connectionOf, connectionType, pageArgs, readPageArgs } from './connections.ts';
import { builder } from './builder.ts';
import { NodeRef } from './node-list.ts';

const AttemptConnection = connectionType<PlacedAttempt>('Attempt', AttemptRef, 'attempts', { isCounted: false });

async function placed(found: Promise<Page<EndedAttempt>>): Promise<Page<PlacedAttempt>> {
  const page = await found;
  const rows = page.rows.map(({ row: { run, ordinal, attempt }, cursor }) => ({
    row: placedAttempt(attempt, { run, ordinal }),
    cursor,
  }));
  return { ...page, rows };
}

builder.objectFields(NodeRef, (t) => ({
  endedAttempts: t.field({
    type: AttemptConnection,
    args: pageArgs(),
    description:
      'Attempts that have ended there, those of the newest run first. They are looked for among all task runs: where ' +
      'few of many went to this node a page may be short or empty, and `hasNextPage` says whether to go on.',
    resolve: ({ name }, args, { ports }) =>
      connectionOf(readPageArgs(args), placed(ports.store.taskRuns.endedOnNode(name, readPageArgs(args)))),
  }),
}));
