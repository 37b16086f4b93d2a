import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { TaskRun } from '../../server/domain/task-run.ts';
import { startApi, type TestApi } from '../support/api-server.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
  await api.apply();
});
afterAll(() => api.stop());

it('What has ended on a node is told with its task and its run, of the newest run first, page by page', async () => {
  await api.addNode('one');
  const ids: string[] = [];
  for (let count = 0; count < 3; count++) {
    const run = await api.addRun(2);
    ids.push(run.id);
    const [first, second] = (await api.store.taskRuns.byIds([0, 1].map((ordinal) => ({ run: run.id, ordinal })))) as [
      TaskRun,
      TaskRun,
    ];
    const attempt = { number: 1, node: 'one', assignedAt: 1_000, startedAt: 2_000, finishedAt: 5_000, failure: null };
    await api.changeTaskRun(run, first, { state: 'SUCCEEDED', attempt: { ...attempt, state: 'SUCCEEDED' } });
    await api.changeTaskRun(run, second, {
      state: 'RUNNING',
      attempt: { ...attempt, state: 'RUNNING', finishedAt: null },
    });
  }
  const query = `query ($first: Int, $after: String) { node(name: "one") { endedAttempts(first: $first, after: $after) {
    nodes { id number state duration taskRun { taskKey run { id pipelineName } } }
    pageInfo { hasNextPage endCursor } } } }`;
  const token = api.secrets.VIEWER;
  const page = async (first: number, after: string | null) => {
    const { json } = await api.post({ query, variables: { first, after } }, { token });
    return json.data.node.endedAttempts;
  };
  const newest = await page(2, null);
  expect(newest.nodes[0]).toEqual({
    id: `${ids[2]}.0.1`,
    number: 1,
    state: 'SUCCEEDED',
    duration: expect.any(String),
    taskRun: { taskKey: 'one', run: { id: ids[2], pipelineName: 'work' } },
  });
  expect(newest.nodes[1].id).toBe(`${ids[1]}.0.1`);
  expect(newest.pageInfo.hasNextPage).toBe(true);
  const rest = await page(2, newest.pageInfo.endCursor);
  expect(rest.nodes.map(({ id }: { readonly id: string }) => id)).toEqual([`${ids[0]}.0.1`]);
  expect(rest.pageInfo.hasNextPage).toBe(false);
});
