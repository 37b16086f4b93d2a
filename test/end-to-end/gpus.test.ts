import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnGantry, type GantryProcess } from './gantry-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'gantry-gpus-'));
const token = 'admin-token-of-the-gpus-test-0123456789';
let server: GantryProcess;
let url: string;

beforeAll(async () => {
  const words = ['server', '--port', '0', '--data-dir', join(folder, 'data'), '--node-resources', 'gpu=2,licence=5'];
  server = spawnGantry(words, { GANTRY_ADMIN_TOKEN: token });
  url = String((await server.event(({ type }) => type === 'server.listening'))['url']);
}, 60_000);

afterAll(async () => {
  server.child.kill('SIGKILL');
  await server.ended();
  rmSync(folder, { recursive: true, force: true });
});

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- what tests look into has no static shape
async function ask(query: string): Promise<any> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query }),
  });
  return ((await response.json()) as { data: unknown }).data;
}

/** Asks until the answer is what the test waits for. */
async function until<Value>(look: () => Promise<Value>, isIt: (value: Value) => boolean): Promise<Value> {
  for (;;) {
    const value = await look();
    if (isIt(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const gantry = async (...words: readonly string[]): Promise<void> => {
  const process = spawnGantry([...words, '--url', url], { GANTRY_TOKEN: token });
  expect([await process.ended(), process.stderr()]).toEqual([0, '']);
};

describe('a node that declares two GPUs', () => {
  it('shows them', async () => {
    const { nodes } = await ask('{ nodes { nodes { capacity { name quantity } } } }');
    expect(nodes.nodes[0].capacity).toEqual(
      expect.arrayContaining([
        { name: 'gpu', quantity: '2' },
        { name: 'licence', quantity: '5' },
      ]),
    );
  }, 60_000);

  it('gives each task a GPU of its own, lets a third wait, and says why', async () => {
    const file = join(folder, 'gpus.yaml');
    const gate = join(folder, 'gate');
    writeFileSync(
      file,
      `name: gpus
tasks:
  - key: train
    forEach: [1, 2, 3]
    runner: shell
    resources: { gpu: 1 }
    env: { GATE: "${gate}" }
    with:
      command: |
        echo "device=$CUDA_VISIBLE_DEVICES" >> "$GANTRY_OUTPUT"
        while [ ! -e "$GATE" ]; do sleep 0.1; done
  - { key: more, runner: shell, resources: { gpu: 3 }, with: { command: 'true' } }
`,
    );
    await gantry('apply', '-f', file);
    await gantry('run', 'gpus');
    const query =
      '{ runs(first: 1) { nodes { id taskRuns(first: 9) { nodes { taskKey state outputs placement { summary { code message remedy } unblock { message } } } } } } }';
    const taskRuns = async () => (await ask(query)).runs.nodes[0].taskRuns.nodes;
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what tests look into has no static shape
    const waiting = (all: any[]) => all.filter(({ state }) => state === 'READY');
    const found = await until(taskRuns, (all) => {
      return (
        all.filter(({ state }: { state: string }) => state === 'RUNNING').length === 2 && waiting(all).length === 2
      );
    });
    const [third, more] = ['train', 'more'].map((key) =>
      waiting(found).find(({ taskKey }: { taskKey: string }) => taskKey === key),
    );
    expect(third.placement.summary).toMatchObject({
      code: 'NO_ROOM',
      message: expect.stringContaining('none has'),
      remedy: expect.stringContaining('add a node with'),
    });
    expect(third.placement.unblock[0].message).toBe('Free 1 more of gpu 0: local would do then.');
    expect(more.placement.summary.message).toContain('Node local has 2 of gpu in all; the task needs 3.');
    writeFileSync(gate, '');
    const ended = await until(
      taskRuns,
      (all) =>
        all.filter(
          ({ state, taskKey }: { state: string; taskKey: string }) => taskKey === 'train' && state === 'SUCCEEDED',
        ).length === 3,
    );
    const devices = ended
      .filter(({ taskKey }: { taskKey: string }) => taskKey === 'train')
      .map(({ outputs }: { outputs: { device: string } }) => outputs.device);
    expect(devices.slice(0, 2).toSorted()).toEqual(['0', '1']);
    expect(['0', '1']).toContain(devices[2]);
  }, 90_000);
});
