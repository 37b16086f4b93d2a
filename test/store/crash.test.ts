import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { databases, type TestDatabases } from '../support/databases.ts';
import { applyWork, open } from './rows.ts';

const CHILD = join(import.meta.dirname, 'committing-child.ts');

describe.each(databases)('a server on $name that is killed while it commits', ({ start }) => {
  let places: TestDatabases;
  beforeAll(async () => {
    places = await start();
  });
  afterAll(() => places.stop());

  /** Lets a child commit, kills it with -9 after some acknowledgements, and answers the last one. */
  async function commitAndKill(url: string, acknowledgements: number): Promise<number> {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', CHILD, url], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    let last = 0;
    let count = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      last = Number(line);
      count += 1;
      if (count === acknowledgements) child.kill('SIGKILL');
    }
    expect(await ended).toEqual([null, 'SIGKILL']);
    return last;
  }

  it('has lost nothing that was acknowledged, and the next one can begin at once', async () => {
    const url = await places.fresh();
    const first = await open(url);
    await applyWork(first);
    await first.close();

    let before = 0;
    for (const acknowledgements of [5, 20, 50]) {
      const acknowledged = await commitAndKill(url, acknowledgements);
      expect(acknowledged).toBeGreaterThanOrEqual(before + acknowledgements);
      const store = await open(url);
      const events = await store.events.after('default', 0, 100_000);
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
      expect(events.length).toBeGreaterThanOrEqual(acknowledged);
      // Whole batches only: what is stored of a step is all of it.
      const runs = await store.runs.unfinished('default');
      expect(runs.map(({ run }) => run.key)).toEqual(events.map(({ seq }) => seq));
      expect(new Set(runs.map(({ taskRuns }) => taskRuns.length))).toEqual(new Set([20]));
      await store.close();
      before = events.length;
    }
  });
});
