import { setTimeout as delay } from 'node:timers/promises';
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject, Outcome } from '@gantry/plugin-kit/runner';
import { AttemptHarness, type AttemptOptions, type TestAttempt } from '@gantry/plugin-kit/testing';
import { openControlGroups } from '../src/control-groups.ts';
import plugin from '../src/index.ts';

/** A node with the shell runner, whose attempts have ids that no other suite uses at the same time. */
export class NodeUnderTest {
  readonly harness: AttemptHarness;
  readonly #run = randomUUID();
  #count = 0;

  /** @param parent Where its folders are: a disk of the test's own. */
  constructor(settings: JsonObject = {}, parent?: string) {
    this.harness = new AttemptHarness(plugin, settings, parent);
  }

  get stateDirectory(): string {
    return this.harness.node.stateDirectory;
  }

  attempt(config: JsonObject, extra: AttemptOptions = {}): TestAttempt {
    return this.harness.attempt(config, { id: `${this.#run}.${this.#count++}.1`, ...extra });
  }

  /** Runs a command to its end. */
  async run(config: JsonObject, extra: AttemptOptions = {}) {
    const attempt = this.attempt(config, extra);
    const outcome = await attempt.run();
    return { attempt, outcome, stdout: attempt.text, stderr: complaintsOf(attempt) };
  }

  /** A FIFO: a command waits when it reads from it, until the test opens it. */
  gate(): { readonly path: string; open(): void } {
    const path = join(this.stateDirectory, `gate-${randomUUID()}`);
    spawnSync('mkfifo', [path]);
    return { path, open: () => writeFileSync(path, 'go\n') };
  }

  /** Has everything forgotten and closes the runner; what is left in its folder then, and every process of this node's attempts. */
  async close(): Promise<{ readonly files: readonly string[]; readonly processes: readonly number[] }> {
    await this.harness.forgetAll();
    await plugin.close!();
    const files = readdirSync(this.stateDirectory).filter((name) => !name.startsWith('gate-'));
    // Helpers that were told to go take a moment on a busy machine; what was left behind stays.
    let processes = processesWith(`${this.stateDirectory}/`);
    for (let look = 0; processes.length > 0 && look < 100; look++) {
      await delay(50);
      processes = processesWith(`${this.stateDirectory}/`);
    }
    await this.harness.close();
    return { files, processes };
  }
}

export const complaintsOf = (attempt: TestAttempt): string => Buffer.concat(attempt.printed.stderr).toString();

export const reasonOf = (outcome: Outcome): string => (outcome.ok ? 'ok' : outcome.reason.code);

/** What a command handed on; why not when it failed. */
export const outputsOf = (outcome: Outcome) => (outcome.ok ? outcome.outputs : outcome.reason);

/** A shell word that is a program in JavaScript. */
export const script = (text: string): string => `node -e '${text}'`;

/** Takes so much processor time. Milliseconds. */
export const burn = (ms: number): string => script(`while (process.cpuUsage().user < ${ms * 1_000});`);

/** Holds so much memory until it is ended, and makes a file when it has it. */
export const keep = (mebibytes: number, file = 'kept'): string =>
  script(
    `const held = Buffer.alloc(${mebibytes * 1_048_576}, 1); require("fs").writeFileSync("${file}", ""); setInterval(() => held.fill(2), 1000);`,
  );

/** Holds so much memory, and takes long enough to be seen with it. */
export const hold = (mebibytes: number): string =>
  script(
    `const held = Buffer.alloc(${mebibytes * 1_048_576}, 1); while (process.cpuUsage().user < 5e5); held.fill(2);`,
  );

/**
 * The kinds of nodes, with what their operators would write. Where the machine lets these tests make control groups,
 * which takes root, they are tried with some, in a group of their own; GANTRY_TEST_CGROUP names another, or is `none`.
 */
export const groupKind = existsSync('/sys/fs/cgroup/cgroup.controllers') ? 'cgroup2' : 'cgroup1';
/** Of no two suites that run at the same time; null when there can be none. */
export const testGroup = testGroupOf(process.env['GANTRY_TEST_CGROUP']);
export const NODES: readonly (readonly [kind: string, settings: JsonObject])[] = [
  ['rlimit', {}],
  ...(testGroup === null ? [] : [[groupKind, { cgroup: testGroup }] as const]),
];

function testGroupOf(wanted: string | undefined): string | null {
  if (wanted === 'none') return null;
  const group = `${wanted ?? '/gantry-test'}/${process.env['JEST_WORKER_ID'] ?? 'alone'}`;
  const groups = openControlGroups(group);
  if (!('why' in groups)) return group;
  if (wanted !== undefined) throw new Error(`GANTRY_TEST_CGROUP=${wanted} does not help: ${groups.why}`);
  console.warn(`The shell runner is not tested with control groups, because this machine gives none: ${groups.why}.`);
  return null;
}

/** The fastest shell there is for helpers, and bash, which differs in most ways that matter here; each on each kind. */
export const NODES_BY_SHELL: readonly (readonly [shell: string, kind: string, settings: JsonObject])[] = [
  ['the usual shell', {}] as const,
  ...(existsSync('/bin/bash') ? [['/bin/bash', { helperShell: '/bin/bash' }] as const] : []),
].flatMap(([shell, helper]) => NODES.map(([kind, settings]) => [shell, kind, { ...helper, ...settings }] as const));

/** Resolves when the attempt has printed this. */
export async function printed(attempt: TestAttempt, text: string): Promise<void> {
  await new Promise<void>((resolve) => {
    const look = () => {
      if (attempt.text.includes(text)) resolve();
      else setImmediate(look);
    };
    look();
  });
}

/** Whether a process is there, and more than a corpse. */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Resolves when a process has gone. */
export async function gone(pid: number): Promise<void> {
  while (isRunning(pid)) await new Promise((resolve) => setImmediate(resolve));
}

/** Processes that have this in their command line or environment. */
export function processesWith(text: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        return (
          isRunning(Number(pid)) &&
          ['cmdline', 'environ'].some((file) => readFileSync(`/proc/${pid}/${file}`, 'utf8').includes(text))
        );
      } catch {
        return false;
      }
    })
    .map(Number);
}
