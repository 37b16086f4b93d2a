import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

/*
 * A real server, killed again and again while it works, and what has become of the work: as its witnesses tell it, not
 * as the server does. Each command writes when it begins and when it ends into one file, by one append each.
 */

export interface KillRounds {
  /** How often the server is killed. */
  readonly kills: number;
  /** Of an empty database. */
  readonly databaseUrl: string;
  /** The longest time between the acknowledgement of a run and the kill. Milliseconds. */
  readonly withinMs: number;
  /** At least 0, less than 1. */
  random(): number;
  /** What each run consists of: tasks by how long they take, seconds as text for `sleep`. */
  readonly tasks: readonly { readonly seconds: string; readonly count: number; readonly everyRuns: number }[];
  /** The checkout whose server is killed. */
  readonly root: string;
  /** Told after each kill. */
  onKill?(count: number): void;
}

/** What the witnesses and the server say in the end. All but the first three are 0 when nothing was done twice. */
export interface KillFindings {
  readonly kills: number;
  readonly runs: number;
  /** Tasks that have run. */
  readonly tasks: number;
  /** Tasks of which a process began when another had ended. */
  readonly repeatedAfterEnd: number;
  /** Tasks of which two processes ran at one time. */
  readonly overlaps: number;
  /** Attempt ids under which more than one process was started. */
  readonly startedTwice: number;
  /** Runs that did not succeed, although each command ends with 0. */
  readonly unsuccessfulRuns: number;
  /** Task runs that did not succeed, although their command has ended, and well. */
  readonly endsNotReported: number;
  /** Task runs without the output that their command has written. */
  readonly lostOutputs: number;
  /** Task runs that needed more than one attempt, for whatever reason. */
  readonly retried: number;
  /** Task runs that never began. */
  readonly neverRun: number;
  /** Why task runs did not succeed: every failure of theirs, in the order of their attempts. */
  readonly failures: readonly string[];
}

const TOKEN = 'admin-token-of-the-killed-server-0123456789';
const ENDED_WITHIN_MS = 300_000;

/** Kills a server so many times, lets everything come to its end, and says what was found. */
export async function killRounds(rounds: KillRounds): Promise<KillFindings> {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-kills-'));
  const witness = join(folder, 'witness');
  writeFileSync(witness, '');
  const server = new KilledServer(folder, rounds);
  try {
    const runs: string[] = [];
    for (let kill = 1; kill <= rounds.kills; kill++) {
      await server.start();
      if (kill === 1) await applyAll(server, rounds, witness);
      runs.push(...(await triggered(server, rounds, kill)));
      await delay(rounds.random() * rounds.withinMs);
      await server.kill();
      rounds.onKill?.(kill);
    }
    await server.start();
    const states = await endedStates(server, runs);
    return { kills: rounds.kills, runs: runs.length, ...(await found(server, runs, states, witness)) };
  } finally {
    await server.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `gantry server` as a child without a launcher between, so that the kill meets the server itself. */
class KilledServer {
  readonly #folder: string;
  readonly #rounds: KillRounds;
  #child: ChildProcess | null = null;
  #url = '';

  constructor(folder: string, rounds: KillRounds) {
    this.#folder = folder;
    this.#rounds = rounds;
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    const { root, databaseUrl } = this.#rounds;
    const words = ['server', '--port', '0', '--node-slots', '400', '--json'];
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', 'server/cli/main.ts', ...words], {
      cwd: root,
      env: {
        PATH: process.env['PATH'],
        GANTRY_ADMIN_TOKEN: TOKEN,
        GANTRY_DATA_DIR: join(this.#folder, 'data'),
        GANTRY_DATABASE_URL: databaseUrl,
      },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.#child = child;
    for await (const line of createInterface({ input: child.stdout })) {
      const event = JSON.parse(line) as { readonly type?: string; readonly url?: string };
      if (event.type !== 'server.listening') continue;
      this.#url = event.url!;
      child.stdout.resume();
      return;
    }
    throw new Error('The server ended before it listened.');
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null) return;
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }

  /** Rejects with what the server has refused. */
  async ask<Data>(query: string, variables: object = {}): Promise<Data> {
    const response = await fetch(`${this.#url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as { readonly data: Data; readonly errors?: unknown };
    if (errors !== undefined) throw new Error(JSON.stringify(errors));
    return data;
  }
}

const nameOf = (seconds: string): string => `sleeps-${seconds.replace('.', '-')}`;

async function applyAll(server: KilledServer, { tasks }: KillRounds, witness: string): Promise<void> {
  for (const { seconds, count } of tasks) {
    const items = JSON.stringify(Array.from({ length: count }, (_, item) => item));
    const yaml = `name: ${nameOf(seconds)}
tasks:
  - key: work
    forEach: ${items}
    runner: shell
    with:
      command: |
        task="$GANTRY_RUN_ID/$GANTRY_ITEM"
        echo "+ $task $GANTRY_ATTEMPT_ID" >> '${witness}'
        sleep ${seconds}
        echo "by=$GANTRY_ATTEMPT_ID" >> "$GANTRY_OUTPUT"
        echo "- $task $GANTRY_ATTEMPT_ID" >> '${witness}'
`;
    const query = `mutation ($yaml: String!) { applyPipeline(input: { yaml: $yaml }) { __typename } }`;
    const { applyPipeline } = await server.ask<{ applyPipeline: { __typename: string } }>(query, { yaml });
    if (applyPipeline.__typename !== 'ApplyPipelinePayload') throw new Error(JSON.stringify(applyPipeline));
  }
}

/** Resolves with the runs that the server has acknowledged. */
async function triggered(server: KilledServer, { tasks }: KillRounds, kill: number): Promise<readonly string[]> {
  const due = tasks.filter(({ everyRuns }) => kill % everyRuns === 0);
  return Promise.all(
    due.map(async ({ seconds }) => {
      const query = `mutation { triggerRun(input: { pipeline: "${nameOf(seconds)}" }) { ... on TriggerRunPayload { run { id } } } }`;
      const { triggerRun } = await server.ask<{ triggerRun: { run: { id: string } } }>(query);
      return triggerRun.run.id;
    }),
  );
}

/** Waits until all runs have ended. Rejects when that takes too long. */
async function endedStates(server: KilledServer, runs: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const states = new Map<string, string>();
  const until = performance.now() + ENDED_WITHIN_MS;
  for (const run of runs) {
    for (;;) {
      const { run: found } = await server.ask<{ run: { state: string } }>(`{ run(id: "${run}") { state } }`);
      states.set(run, found.state);
      if (['SUCCEEDED', 'FAILED', 'CANCELLED'].includes(found.state)) break;
      if (performance.now() > until) throw new Error(`The run ${run} is still ${found.state}.`);
      await delay(100);
    }
  }
  return states;
}

interface TaskRunAnswer {
  readonly state: string;
  readonly mapIndex: number | null;
  readonly outputs: { readonly by?: string } | null;
  readonly attempts: readonly {
    readonly number: number;
    readonly state: string;
    readonly failure: { readonly kind: string; readonly code: string; readonly message: string } | null;
  }[];
}

async function found(
  server: KilledServer,
  runs: readonly string[],
  states: ReadonlyMap<string, string>,
  witness: string,
): Promise<Omit<KillFindings, 'kills' | 'runs'>> {
  const witnessed = readWitness(witness);
  let lostOutputs = 0;
  let endsNotReported = 0;
  let retried = 0;
  let neverRun = 0;
  let tasks = 0;
  const failures: string[] = [];
  for (const run of runs) {
    const query = `{ run(id: "${run}") { taskRuns(first: 100) { nodes { state mapIndex outputs attempts { number state failure { kind code message } } } } } }`;
    const answer = await server.ask<{ run: { taskRuns: { nodes: readonly TaskRunAnswer[] } } }>(query);
    for (const { state, mapIndex, outputs, attempts } of answer.run.taskRuns.nodes) {
      if (mapIndex === null) continue;
      tasks++;
      if (attempts.length > 1) retried++;
      if (state !== 'SUCCEEDED' && witnessed.ended.has(`${run}/${mapIndex}`)) endsNotReported++;
      if (state !== 'SUCCEEDED')
        failures.push(
          attempts
            .map(
              ({ number, state: end, failure }) =>
                `${number} ${end} ${failure?.kind} ${failure?.code}: ${failure?.message}`,
            )
            .join(' | '),
        );
      if (typeof outputs?.by !== 'string') lostOutputs++;
      if (!witnessed.begun.has(`${run}/${mapIndex}`)) neverRun++;
    }
  }
  const unsuccessfulRuns = [...states.values()].filter((state) => state !== 'SUCCEEDED').length;
  const { repeatedAfterEnd, overlaps, startedTwice } = witnessed;
  return {
    tasks,
    repeatedAfterEnd,
    overlaps,
    startedTwice,
    unsuccessfulRuns,
    endsNotReported,
    lostOutputs,
    retried,
    neverRun,
    failures,
  };
}

/** Reads the witnesses in the order in which they have written. */
function readWitness(path: string) {
  const begun = new Set<string>();
  const running = new Map<string, number>();
  const ended = new Set<string>();
  const starts = new Map<string, number>();
  const overlaps = new Set<string>();
  const repeated = new Set<string>();
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [];
  for (const line of lines) {
    const [what, task, attempt] = line.split(' ') as [string, string, string];
    const count = running.get(task) ?? 0;
    if (what === '+') {
      begun.add(task);
      starts.set(attempt, (starts.get(attempt) ?? 0) + 1);
      if (count > 0) overlaps.add(task);
      if (ended.has(task)) repeated.add(task);
      running.set(task, count + 1);
    } else {
      running.set(task, count - 1);
      ended.add(task);
    }
  }
  const startedTwice = [...starts.values()].filter((count) => count > 1).length;
  return { begun, ended, repeatedAfterEnd: repeated.size, overlaps: overlaps.size, startedTwice };
}
