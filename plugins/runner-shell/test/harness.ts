import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { Attempt, Json, JsonObject, Outcome, RunnerNode } from '@gantry/plugin-kit/runner';
import shell from '../src/index.ts';

/** An attempt of the shell runner in a folder of its own, with what it prints collected. */
export class ShellAttempt {
  readonly stop = new AbortController();
  readonly kill = new AbortController();
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  readonly checkpoints: Json[] = [];
  /** So far. */
  printed = '';
  complained = '';
  readonly attempt: Attempt<never, never>;
  readonly node: RunnerNode;

  constructor(
    folder: string,
    id: string,
    config: JsonObject,
    extra: { env?: Record<string, string>; inputs?: JsonObject } = {},
  ) {
    const checked = shell.config.check(config);
    if (!checked.ok) throw new Error(JSON.stringify(checked.problems));
    const workdir = join(folder, 'work', id);
    mkdirSync(workdir, { recursive: true });
    this.stdout.on('data', (piece: Buffer) => (this.printed += piece.toString()));
    this.stderr.on('data', (piece: Buffer) => (this.complained += piece.toString()));
    this.node = { name: 'n', stateDirectory: join(folder, 'state'), settings: {} };
    this.attempt = {
      id,
      number: 1,
      runId: 'run',
      taskKey: 'task',
      config: checked.config,
      env: extra.env ?? {},
      inputs: extra.inputs ?? {},
      workdir,
      resources: {},
      deadline: null,
      stop: this.stop.signal,
      kill: this.kill.signal,
      stdout: this.stdout,
      stderr: this.stderr,
      checkpoint: (handle: Json) => {
        this.checkpoints.push(handle);
        return Promise.resolve();
      },
      started: () => undefined,
      progress: () => undefined,
    } as unknown as Attempt<never, never>;
  }

  run(): Promise<Outcome> {
    return shell.run(this.attempt as never, this.node);
  }
  reattach(handle: Json): Promise<Outcome> {
    return shell.reattach!(this.attempt as never, handle as never, this.node);
  }
}

/** A temporary folder, and what makes attempts in it. */
export function shellBench(): {
  readonly folder: string;
  attempt(config: JsonObject, extra?: { env?: Record<string, string>; inputs?: JsonObject; id?: string }): ShellAttempt;
  end(): void;
} {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-shell-'));
  let count = 0;
  return {
    folder,
    attempt: (config, extra = {}) => new ShellAttempt(folder, extra.id ?? `run.${count++}.1`, config, extra),
    end: () => rmSync(folder, { recursive: true, force: true }),
  };
}
