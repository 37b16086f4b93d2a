import { afterEach, describe, expect, it } from '@jest/globals';
import { stripVTControlCharacters } from 'node:util';
import { gantry } from './command-line.ts';
import { pageOf, startScriptedServer, type Script, type ScriptedServer } from './scripted-server.ts';

let server: ScriptedServer | null = null;
afterEach(async () => {
  await server?.close();
  server = null;
});
async function against(script: Script): Promise<Readonly<Record<string, string>>> {
  server = await startScriptedServer(script);
  return { GANTRY_URL: server.url };
}

const alpha = {
  name: 'alpha',
  poolName: 'default',
  connection: 'READY',
  eligibility: 'CORDONED',
  conditions: [{ type: 'DISK_FULL', message: 'Its disk is full: 0 bytes of 32 MiB are free.' }],
  runningCount: 2,
  incarnation: 7,
  registeredAt: '2026-11-20T09:00:00.000Z',
  heardAt: '2026-11-20T10:00:00.000Z',
  agentVersion: '1.0.0',
  labels: [{ key: 'zone', value: 'a' }],
  taints: [
    { key: 'gpu', value: null },
    { key: 'team', value: 'ml' },
  ],
  capacity: [{ name: 'slots', quantity: '8' }],
  reserved: [{ name: 'slots', quantity: '2' }],
  runners: [{ name: 'docker', version: '1.0.0', health: 'ABSENT', message: 'There is no engine.' }],
};
const record = (type: string, actor: string | null, message: string | null) => ({
  at: '2026-11-20T10:00:00.000Z',
  type,
  incarnation: 7,
  actor,
  message,
});
const script: Script = {
  node: () => ({
    ...alpha,
    history: pageOf([record('CORDONED', 'ann', 'a new\u001b[2J disk'), record('LOST', null, 'It had been silent.')]),
  }),
};

describe('gantry node', () => {
  it('shows what a node is and what has happened to it', async () => {
    const { stdout, exitCode } = await gantry(['node', 'alpha'], { env: await against(script), isTTY: true });
    expect(exitCode).toBe(0);
    expect(stripVTControlCharacters(stdout).trimEnd().split('\n')).toEqual([
      'node      alpha',
      'pool      default',
      'state     READY, CORDONED',
      '          Its disk is full: 0 bytes of 32 MiB are free.',
      'agent     1.0.0, incarnation 7',
      'came      2026-11-20T09:00:00.000Z',
      'running   2',
      'reserved  slots 2/8',
      'labels    zone=a',
      'taints    gpu team=ml',
      'runners   docker 1.0.0 ABSENT: There is no engine.',
      '',
      'WHEN                      WHAT      INCARNATION  BY   WHY',
      '2026-11-20T10:00:00.000Z  CORDONED            7  ann  a new disk',
      '2026-11-20T10:00:00.000Z  LOST                7       It had been silent.',
    ]);
  });

  it('is a line for each thing that happened in a pipe, and one document with --json', async () => {
    const env = await against(script);
    expect((await gantry(['node', 'alpha'], { env })).stdout).toBe(
      '2026-11-20T10:00:00.000Z\tCORDONED\t7\tann\ta new disk\n' +
        '2026-11-20T10:00:00.000Z\tLOST\t7\t\tIt had been silent.\n',
    );
    const { stdout } = await gantry(['node', 'alpha', '--json'], { env });
    expect(JSON.parse(stdout)).toMatchObject({ name: 'alpha', history: [{ actor: 'ann' }, { type: 'LOST' }] });
  });

  it('says where the names of nodes are found, and what a limit is', async () => {
    const env = await against({ node: () => null });
    const unknown = await gantry(['node', 'beta'], { env });
    expect([unknown.exitCode, unknown.stderr]).toEqual([
      2,
      'error: There is no node beta.\ngantry nodes lists them.\n',
    ]);
    expect((await gantry(['node', 'alpha', '--limit', 'x'], { env })).stderr).toMatch(/--limit must be a whole number/);
  });
});

describe('cordoning on the command line', () => {
  it.each([
    [['cordon', 'alpha', '--message', 'a new disk'], { name: 'alpha', message: 'a new disk' }],
    [['cordon', 'alpha'], { name: 'alpha' }],
    [['uncordon', 'alpha', '-m', 'done'], { name: 'alpha', message: 'done' }],
  ])('%j hands its reason on', async (words, expected) => {
    let input: unknown;
    const answer = (payload: string) => (args: { input: unknown }) => {
      ({ input } = args);
      return { __typename: payload, node: alpha };
    };
    const cordoning = { cordonNode: answer('CordonNodePayload'), uncordonNode: answer('UncordonNodePayload') };
    const { stdout, exitCode } = await gantry(words, { env: await against(cordoning as Script) });
    expect([exitCode, stdout]).toEqual([0, 'alpha\tCORDONED\n']);
    expect({ ...(input as object) }).toEqual(expected);
  });
});
