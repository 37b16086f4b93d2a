import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnGantry, type GantryProcess } from './gantry-process.ts';

// What docs/reference/pipeline.md says of commands and their outputs, tried on a real server.

const folder = mkdtempSync(join(tmpdir(), 'gantry-documented-'));
const token = 'admin-token-of-the-documented-test-0123456789';
let server: GantryProcess;
let url: string;

const PIPELINE = `name: documented
params: { text: { type: string, default: a } }
tasks:
  - key: forms
    runner: shell
    with:
      command: |
        false
        printf 'plain=a = b\\nnumber:=3\\nlist:=["a","b"]\\nlines<<STOP\\none\\ntwo\\nSTOP\\nplain=last\\n' >> "$GANTRY_OUTPUT"
  - key: object
    runner: shell
    with: { command: 'printf "{\\"a\\": [1]}" > "$GANTRY_OUTPUT"' }
  - { key: silent, runner: shell, with: { command: 'true' } }
  - { key: broken, runner: shell, allowFailure: true, with: { command: 'echo x=1 >> "$GANTRY_OUTPUT"; exit 3' } }
  - key: strict
    runner: shell
    allowFailure: true
    with: { command: 'set -e; false; true' }
  - key: reader
    needs: [silent, broken]
    runner: shell
    env:
      RUN: \${{ run.id }}
      SILENT: \${{ tasks.silent.outputs }}
      BROKEN: \${{ tasks.broken.outputs }}
      TF_VAR_region: north
    with:
      command: |
        [ "$RUN" = "$GANTRY_RUN_ID" ] && echo "sameRun:=true" >> "$GANTRY_OUTPUT"
        echo "silent=$SILENT" >> "$GANTRY_OUTPUT"
        echo "broken=$BROKEN" >> "$GANTRY_OUTPUT"
        echo "region=$TF_VAR_region" >> "$GANTRY_OUTPUT"
        echo "inputs:=$(cat "$GANTRY_INPUTS")" >> "$GANTRY_OUTPUT"
  - key: wrong
    needs: [broken]
    runner: shell
    allowFailure: true
    env: { X: "\${{ tasks.broken.outputs.x }}" }
    with: { command: 'true' }
`;

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- what tests look into has no static shape
let byKey: Record<string, any> = {};

beforeAll(async () => {
  server = spawnGantry(['server', '--port', '0', '--data-dir', join(folder, 'data')], { GANTRY_ADMIN_TOKEN: token });
  url = String((await server.event(({ type }) => type === 'server.listening'))['url']);
  const file = join(folder, 'documented.yaml');
  writeFileSync(file, PIPELINE);
  const gantry = (...words: readonly string[]) => spawnGantry([...words, '--url', url], { GANTRY_TOKEN: token });
  const applied = gantry('apply', '-f', file);
  expect([await applied.ended(), applied.stderr()]).toEqual([0, '']);
  expect(await gantry('run', 'documented', '--follow').ended()).toBe(0);
  const query =
    '{ runs(first: 1) { nodes { id taskRuns(first: 20) { nodes { taskKey state outputs attempt { failure { exitCode code } } } } } } }';
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query }),
  });
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what tests look into has no static shape
  const { data, errors } = (await response.json()) as any;
  expect(errors).toBeUndefined();
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what tests look into has no static shape
  byKey = Object.fromEntries(data.runs.nodes[0].taskRuns.nodes.map((each: any) => [each.taskKey, each]));
}, 120_000);

afterAll(async () => {
  server.child.kill('SIGKILL');
  await server.ended();
  rmSync(folder, { recursive: true, force: true });
});

describe('as the reference of pipelines says', () => {
  it('outputs have these forms, and a line that fails does not end a command', () => {
    expect(byKey['forms']).toMatchObject({
      state: 'SUCCEEDED',
      outputs: { plain: 'last', number: 3, list: ['a', 'b'], lines: 'one\ntwo' },
    });
    expect(byKey['object'].outputs).toEqual({ a: [1] });
  });

  it('with “set -e” it does', () => {
    expect(byKey['strict']).toMatchObject({ state: 'FAILED', attempt: { failure: { exitCode: 1 } } });
  });

  it('a task that writes nothing has no outputs, nor has one that failed', () => {
    expect(byKey['reader'].outputs).toMatchObject({ silent: 'null', broken: 'null', region: 'north', sameRun: true });
    expect(byKey['broken'].outputs).toBeNull();
    expect(byKey['wrong']).toMatchObject({ state: 'FAILED', attempt: { failure: { code: 'EXPRESSION_UNRESOLVED' } } });
  });

  it('$GANTRY_INPUTS holds params, the run and the outputs of what is read', () => {
    const { params, run, tasks } = byKey['reader'].outputs.inputs;
    expect({ params, run, tasks }).toEqual({
      params: { text: 'a' },
      run: { id: expect.any(String) },
      tasks: { silent: { outputs: null }, broken: { outputs: null } },
    });
  });
});
