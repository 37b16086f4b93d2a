import type { TestApi } from '../test/support/api-server.ts';
import { aDefinition, aTask } from '../test/support/builders.ts';
import type { Run } from '../server/domain/run.ts';

/** The two queries that are measured. */
export const SIMPLE = '{ viewer { name role } }';
export const LIST = `query TaskRuns($id: ID!) {
  run(id: $id) {
    id state
    taskRuns(first: 100) {
      nodes { id taskKey state finishedAt attempt { number state node { name connection } } task { key runner } }
    }
  }
}`;

/** A run of 100 finished task runs on four nodes, in the store. */
export async function fill(api: TestApi): Promise<Run> {
  await api.apply(aDefinition([aTask('one'), aTask('two')]));
  for (const name of ['alpha', 'beta', 'gamma', 'delta']) await api.addNode(name);
  const run = await api.addRun(100);
  const [page] = await api.store.taskRuns.pagesOfRuns([run.id], { first: 100 }, {});
  for (const { row } of page!.rows) {
    const node = ['alpha', 'beta', 'gamma', 'delta'][row.ordinal % 4]!;
    const at = run.createdAt + row.ordinal;
    const attempt = {
      number: 1,
      node,
      state: 'SUCCEEDED' as const,
      assignedAt: at,
      startedAt: at,
      finishedAt: at,
      failure: null,
    };
    await api.changeTaskRun(run, row, { state: 'SUCCEEDED', finishedAt: at, attempt, outputs: { n: row.ordinal } });
  }
  return run;
}
