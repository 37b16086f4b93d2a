import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gantry } from './command-line.ts';
import { startScriptedServer, type ScriptedServer } from './scripted-server.ts';

let folder: string;
let server: ScriptedServer | null = null;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gantry-replay-'));
  write('nodes.csv', 'sn,cpu_milli,memory_mib,gpu,model\nlarge,8000,8192,2,T4\nsmall,2000,2048,0,\n');
  write(
    'pods.csv',
    podsCsv('p-1,2000,1024,0,0,,LS,0,60,0', 'p-2,8000,1024,0,0,,BE,0,30,0', 'p-3,1000,64,1,500,T4,LS,5,20,5'),
  );
  write('flow.json', JSON.stringify(flow({ a: [], b: ['a'], c: ['a'], d: ['b', 'c'] })));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(async () => {
  await server?.close();
  server = null;
});

const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
const HEAD = 'name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,creation_time,deletion_time,scheduled_time';
const podsCsv = (...rows: readonly string[]): string => `${[HEAD, ...rows].join('\n')}\n`;
const flow = (parents: Readonly<Record<string, readonly string[]>>) => ({
  name: 'flow',
  workflow: {
    specification: { tasks: Object.entries(parents).map(([id, all]) => ({ id, parents: all })) },
    execution: { tasks: Object.keys(parents).map((id) => ({ id, runtimeInSeconds: 60 })) },
  },
});
const replay = (...words: readonly string[]) => gantry(['replay', ...words], { cwd: folder });

describe('replaying a trace', () => {
  it('of a workflow compares schedulers, each named when it has done it', async () => {
    const { stdout, stderr, exitCode } = await replay(
      'flow.json',
      '--machines',
      '2',
      '-s',
      'spread',
      '-s',
      'critical-path',
    );
    expect(exitCode).toBe(0);
    expect(stderr.match(/^(spread|critical-path) has done it$/gm)).toEqual([
      'spread has done it',
      'critical-path has done it',
    ]);
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t').slice(0, 3));
    expect(rows).toEqual([
      [expect.stringContaining('spread '), '4/4', '3m 00s'],
      [expect.stringContaining('critical-path '), '4/4', '3m 00s'],
    ]);
  });

  it('of pods is one document with --json: figures, samples, and why the rest waited', async () => {
    write('more.csv', podsCsv('p-1,2000,1024,0,0,,LS,0,60,0', 'huge,99000,1,0,0,,LS,0,60,0'));
    const { stdout } = await replay('more.csv', '--nodes', 'nodes.csv', '-s', 'bin-packing', '--json');
    expect(JSON.parse(stdout)).toMatchObject([
      {
        scheduler: 'bin-packing',
        config: {},
        tasks: 2,
        ended: 1,
        makespanMs: 60_000,
        wait: { mean: 0, max: 0 },
        samples: [{ at: 0, pending: 1, running: 1, utilization: { cpu: 0.2 } }],
        pending: [{ key: 'huge', message: expect.stringContaining('cpu') }],
      },
    ]);
  });

  it('tells a person why what never ended waited', async () => {
    write('more.csv', podsCsv('p-1,2000,1024,0,0,,LS,0,60,0', 'huge,99000,1,0,0,,LS,0,60,0'));
    const words = ['replay', 'more.csv', '--nodes', 'nodes.csv', '-s', 'spread'];
    const { stdout } = await gantry(words, { cwd: folder, isTTY: true, env: { NO_COLOR: '1' } });
    expect(stdout).toContain('Of 2 tasks, 1 never ended with spread. The first that waited:\n- huge: ');
  });

  it('takes a config, a faster pace and deadlines', async () => {
    const words = [
      '--nodes',
      'nodes.csv',
      '-s',
      'priority={"preempt":false}',
      '--speed',
      '10',
      '--deadline',
      '1',
      '--json',
    ];
    const [row] = JSON.parse((await replay('pods.csv', ...words)).stdout);
    expect(row).toMatchObject({ config: { preempt: false }, ended: 3, deadlineMisses: expect.any(Number) });
  });

  it.each([
    ['a number that is none', 'p-1,x,1,0,0,,LS,0,60,0', 'pods-bad.csv:4: cpu_milli: “x” is no number from 0.'],
    ['a row that is too short', 'p-1,1', 'on line 4'],
    ['a name that was there', 'p-0,1,1,0,0,,LS,0,60,0', 'Two tasks are called p-0'],
  ])('with %s says where, and is no fault of Gantry’s', async (_, row, message) => {
    write('pods-bad.csv', podsCsv('p-0,1000,1,0,0,,LS,0,60,0', '', row));
    const { stderr, stdout, exitCode } = await replay('pods-bad.csv', '--nodes', 'nodes.csv', '-s', 'spread');
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('unexpected');
    expect(stdout).toBe('');
    expect(exitCode).not.toBe(0);
  });

  it.each([
    [['nowhere.json'], 'nowhere.json cannot be read'],
    [['pods.csv'], 'A trace of pods needs its nodes'],
    [['pods.csv', '--nodes', 'nowhere.csv'], 'nowhere.csv'],
    [['circle.json'], 'Tasks wait for each other in a circle: x → y → x.'],
    [['half.json'], 'half.json is neither a trace of Gantry nor a workflow in WfFormat 1.5'],
    [['flow.json', '-s', 'nobody'], 'There is no scheduler nobody.'],
    [['flow.json', '-s', 'spread={"colour":1}'], 'colour'],
    [['flow.json', '--machines', '0'], '--machines must be a whole number'],
    [['flow.json', '--speed', '-1'], '--speed must be a number above 0'],
  ])('%j is refused with the reason', async (words, message) => {
    write('circle.json', JSON.stringify(flow({ x: ['y'], y: ['x'] })));
    write('half.json', '{"name":');
    const { stderr, exitCode } = await replay(...words);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('unexpected');
    expect(exitCode).not.toBe(0);
  });
});

describe('replaying a period of a pool', () => {
  const distribution = { mean: 1, p50: 1, p95: 2, p99: 3, max: 4 };
  const shares = [{ resource: 'cpu', share: 0.5 }];
  const result = {
    choice: { scheduler: 'spread', config: {} },
    version: '1.0.0',
    faults: 0,
    ended: 1,
    makespan: 'PT1M0.5S',
    waitMs: distribution,
    slowdown: distribution,
    utilization: shares,
    fragmentation: shares,
    fairness: 1,
    preemptions: 0,
    deadlineMisses: 0,
    samples: [{ at: 'PT26H3M', pending: 1, running: 1, utilization: shares, fragmentation: shares }],
    pending: [{ taskRunId: 'r.1', message: 'None will do.' }],
  };

  it('asks the server, gives the same document as for a file, and keeps the trace', async () => {
    let asked: unknown;
    const trace = { format: 'gantry-trace/1' };
    server = await startScriptedServer(
      {},
      {
        replay: async function* ({ input }: { readonly input: unknown }) {
          asked = input;
          yield { replay: { phase: 'READING', share: 0.5, scheduler: null, replay: null } };
          yield { replay: { phase: 'REPLAYING', share: 0.31, scheduler: 'spread', replay: null } };
          yield { replay: { phase: 'REPLAYING', share: 0.39, scheduler: 'spread', replay: null } };
          const done = { taskRunCount: 2, recordedCount: 80, sampledCount: 4, stretches: 2, trace, results: [result] };
          yield { replay: { phase: 'DONE', share: 1, scheduler: null, replay: done } };
        },
      },
    );
    const words = ['replay', '--since', '2h', '-s', 'spread', '--save', 'kept.json', '--json'];
    const { stdout } = await gantry(words, { cwd: folder, env: { GANTRY_URL: server.url } });
    expect(asked).toMatchObject({ pool: 'default', from: '2026-11-20T08:00:02.000Z' });
    expect(JSON.parse(stdout)).toMatchObject([
      {
        scheduler: 'spread',
        tasks: 2,
        makespanMs: 60_500,
        wait: distribution,
        utilization: { cpu: 0.5 },
        samples: [{ at: 93_780_000, fragmentation: { cpu: 0.5 } }],
        pending: [{ key: 'r.1', message: 'None will do.' }],
      },
    ]);
    expect(JSON.parse(readFileSync(join(folder, 'kept.json'), 'utf8'))).toEqual(trace);
    // To people it also says how far it is, and how much was taken.
    const { stderr } = await gantry(words.slice(0, -1), { cwd: folder, env: { GANTRY_URL: server.url } });
    expect(stderr).toContain('reading the period, 50 % of all');
    expect(stderr.match(/spread is at it, 30 % of all/g)).toHaveLength(1);
    expect(stderr).toContain('4 of 80 task runs were taken (5.0 %): 2 stretches');
  });

  it('refuses a duration that is none', async () => {
    expect((await replay('--since', 'soon')).stderr).toContain('--since takes a duration such as 30m');
  });
});
