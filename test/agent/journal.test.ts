import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Journal } from '../../server/agent/journal.ts';
import { readRecords } from '../../server/agent/journal-record.ts';
import { specOf } from './specs.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gantry-journal-'));
  path = join(folder, 'journal');
});
afterEach(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

const ids = (count: number) => Array.from({ length: count }, (_, ordinal) => specOf(ordinal).attempt);
const openIds = async () => {
  const { journal, open: found } = await Journal.open(path);
  await journal.close();
  return found.map(({ attempt }) => attempt);
};
/** What all file handles share: the place to count and to break their methods. */
async function handles(): Promise<FileHandle> {
  const file = await open(folder);
  await file.close();
  return Object.getPrototypeOf(file) as FileHandle;
}

describe('a journal', () => {
  it('knows after a restart what was accepted, checkpointed and ended, and when', async () => {
    const { journal } = await Journal.open(path);
    const [one, two] = [specOf(1, {}, { timeoutMs: 5_000 }), specOf(2)];
    await journal.accept([one], 10);
    await journal.accept([two], 20);
    await journal.checkpoint(one.attempt, { pid: 7 }, one);
    journal.ended({ attempt: two.attempt, state: 'SUCCEEDED', at: 30, outputs: { a: [1] } });
    await journal.close();
    for (let restart = 0; restart < 2; restart++) {
      const again = await Journal.open(path);
      expect(again.open).toEqual([
        {
          attempt: one.attempt,
          runner: 'mock',
          taskKey: 'task-1',
          timeoutMs: 5_000,
          killGraceMs: 1_000,
          acceptedAt: 10,
          boot: null,
          handle: { pid: 7 },
          config: {},
          resources: {},
          secrets: [],
        },
        {
          attempt: two.attempt,
          runner: 'mock',
          taskKey: 'task-2',
          timeoutMs: null,
          killGraceMs: 1_000,
          acceptedAt: 20,
          boot: null,
          end: { attempt: two.attempt, state: 'SUCCEEDED', at: 30, outputs: { a: [1] } },
        },
      ]);
      await again.journal.close();
    }
  });

  it('keeps what a runner needs to find an attempt by its id, once for all instances of a task, and over a compaction', async () => {
    const finds = (runner: string) => runner === 'finder';
    const { journal } = await Journal.open(path, { boot: 'b1', finds });
    const order = { command: 'x'.repeat(10_000) };
    const secrets = [{ at: ['with', 'command'], offset: 1, name: 'TOKEN' }];
    const rest = { runner: 'finder', resources: { cpu: 500 } };
    const shared = { ...rest };
    const instances = Array.from({ length: 50 }, (_, ordinal) => specOf(ordinal, order, shared));
    await journal.accept([...instances, specOf(50, { other: 1 }, { ...rest, secrets }), specOf(51, order)], 10);
    expect(statSync(path).size).toBeLessThan(25_000);
    await journal.stopped([{ attempt: specOf(0).attempt, reason: 'TIMED_OUT' }], 15);
    await journal.checkpoint(specOf(1).attempt, 'here', specOf(1, order, shared), 12);
    await journal.close();
    for (const boot of ['b2', 'b3']) {
      const again = await Journal.open(path, { boot, finds });
      const known = again.open;
      expect(known).toHaveLength(52);
      expect(known[0]).toMatchObject({ boot: 'b1', config: order, stop: { reason: 'TIMED_OUT', at: 15 } });
      expect(known[1]).toMatchObject({ config: order, resources: { cpu: 500 }, handle: 'here', startedAt: 12 });
      expect(known[50]).toMatchObject({ config: { other: 1 }, secrets });
      expect(known[51]!.config).toBeUndefined();
      await again.journal.close();
    }
  });

  it('says what is forgotten when that is durable, also after it could not be written', async () => {
    const forgotten: string[] = [];
    const onForgotten = (attempts: readonly { attempt: string }[]) =>
      void forgotten.push(...attempts.map(({ attempt }) => attempt));
    const { journal } = await Journal.open(path, { onForgotten });
    await journal.accept([specOf(0), specOf(1)], 0);
    journal.forgotten(specOf(0).attempt);
    expect(forgotten).toEqual([]);
    jest.spyOn(await handles(), 'datasync').mockRejectedValueOnce(new Error('ENOSPC'));
    await expect(journal.flush()).rejects.toThrow('ENOSPC');
    expect(forgotten).toEqual([]);
    await journal.flush();
    expect(forgotten).toEqual([specOf(0).attempt]);
    await journal.close();
    expect(await openIds()).toEqual([specOf(1).attempt]);
  });

  it('recovers exactly the complete records, wherever the file was torn', async () => {
    const { journal } = await Journal.open(path);
    const empty = statSync(path).size;
    const ends: number[] = [];
    for (let ordinal = 0; ordinal < 4; ordinal++) {
      await journal.accept([specOf(ordinal)], ordinal);
      ends.push(statSync(path).size);
    }
    await journal.close();
    const whole = readFileSync(path);
    for (let length = empty; length <= whole.length; length++) {
      writeFileSync(path, whole.subarray(0, length));
      const complete = ends.filter((end) => end <= length).length;
      expect(readRecords(whole.subarray(0, length)).bytes).toBe(ends[complete - 1] ?? empty);
      expect(await openIds()).toEqual(ids(complete));
    }
  });

  it('goes on behind a torn tail as if it had never been', async () => {
    const first = await Journal.open(path);
    await first.journal.accept([specOf(0)], 0);
    await first.journal.close();
    writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.from([200, 0, 0, 0, 1, 2])]));
    const second = await Journal.open(path);
    await second.journal.accept([specOf(1)], 0);
    await second.journal.close();
    expect(await openIds()).toEqual(ids(2));
  });

  it.each([
    ['a flipped bit', (tail: Buffer) => tail.map((byte, index) => (index === tail.length - 2 ? byte ^ 1 : byte))],
    ['zeros, as a file system leaves them after a power failure', (tail: Buffer) => Buffer.alloc(tail.length)],
    [
      'a length that reaches beyond everything',
      (tail: Buffer) => Buffer.concat([Buffer.alloc(4, 0xff), tail.subarray(4)]),
    ],
  ])('stops before a record with %s', async (_, damage) => {
    const { journal } = await Journal.open(path);
    await journal.accept([specOf(0)], 0);
    const sound = statSync(path).size;
    await journal.accept([specOf(1)], 0);
    await journal.close();
    const whole = readFileSync(path);
    writeFileSync(path, Buffer.concat([whole.subarray(0, sound), damage(whole.subarray(sound))]));
    expect(await openIds()).toEqual(ids(1));
  });

  it('keeps when it is written anew what is still open, and nothing else', async () => {
    const { journal } = await Journal.open(path);
    const specs = Array.from({ length: 3_000 }, (_, ordinal) => specOf(ordinal));
    const outputs = { text: 'x'.repeat(20_000) };
    await journal.accept(specs, 0);
    let highest = 0;
    // 60 MB of ends: more than the file may grow to.
    for (const { attempt } of specs.slice(0, -1)) {
      journal.ended({ attempt, state: 'SUCCEEDED', at: 1, outputs });
      if (attempt !== specs[0]!.attempt) await journal.flush();
      journal.forgotten(attempt);
      highest = Math.max(highest, statSync(path).size);
    }
    await journal.checkpoint(specs.at(-1)!.attempt, 'handle', specs.at(-1)!);
    await journal.close();
    expect(highest).toBeLessThan(34 * 1024 * 1024);
    expect(statSync(path).size).toBeLessThan(34 * 1024 * 1024);
    const again = await Journal.open(path);
    expect(again.open).toMatchObject([{ attempt: specs.at(-1)!.attempt, handle: 'handle' }]);
    expect(again.open[0]).not.toHaveProperty('end');
    await again.journal.close();
    expect(statSync(path).size).toBeLessThan(1_000);
  });

  it('flushes once for a batch, and once more for all who came meanwhile', async () => {
    const { journal } = await Journal.open(path);
    const flush = jest.spyOn(await handles(), 'datasync');
    const first = journal.accept(
      Array.from({ length: 1_000 }, (_, ordinal) => specOf(ordinal)),
      0,
    );
    const later = Array.from({ length: 50 }, (_, index) => journal.accept([specOf(1_000 + index)], 0));
    await first;
    expect(flush).toHaveBeenCalledTimes(1);
    await Promise.all(later);
    expect(flush).toHaveBeenCalledTimes(2);
    await journal.close();
  });

  it('resolves only when the record can be read back', async () => {
    const { journal } = await Journal.open(path);
    const flush = jest.spyOn(await handles(), 'datasync');
    await journal.accept([specOf(0)], 0);
    const { records } = readRecords(readFileSync(path));
    expect(records.at(-1)?.accept?.map(([attempt]) => attempt)).toEqual(ids(1));
    expect(flush).toHaveBeenCalledTimes(1);
    await journal.close();
  });

  it('says when a write fails, and loses nothing of what it says afterwards', async () => {
    const { journal } = await Journal.open(path);
    await journal.accept([specOf(0)], 0);
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    // As a full disk does: some bytes arrive.
    const write = jest.spyOn(await handles(), 'appendFile').mockImplementation(async function (this: FileHandle, data) {
      await this.write((data as Buffer).subarray(0, 11));
      throw full;
    });
    journal.ended({ attempt: specOf(0).attempt, state: 'SUCCEEDED', at: 1 });
    await expect(journal.accept([specOf(1)], 0)).rejects.toThrow('ENOSPC');
    journal.ended({ attempt: specOf(1).attempt, state: 'REJECTED', at: 1 });
    journal.forgotten(specOf(1).attempt);
    write.mockRestore();
    await journal.accept([specOf(2)], 0);
    await journal.close();
    const again = await Journal.open(path);
    expect(again.open).toMatchObject([
      { attempt: specOf(0).attempt, end: { state: 'SUCCEEDED' } },
      { attempt: specOf(2).attempt },
    ]);
    await again.journal.close();
  });

  it('says when a flush fails, and does not believe the next one for the same bytes', async () => {
    const { journal } = await Journal.open(path);
    jest.spyOn(await handles(), 'datasync').mockRejectedValueOnce(new Error('EIO: i/o error, fdatasync'));
    await expect(journal.accept([specOf(0)], 0)).rejects.toThrow('EIO');
    await journal.accept([specOf(1)], 0);
    await journal.close();
    expect(await openIds()).toContain(specOf(1).attempt);
  });

  it('refuses to open what is no file, and says where', async () => {
    mkdirSync(path);
    await expect(Journal.open(path)).rejects.toThrow(/EISDIR/);
  });
});

const disk = mkdtempSync(join(tmpdir(), 'gantry-small-disk-'));
const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]).status === 0;
if (isMounted) spawnSync('umount', [disk]);
else
  console.warn('A small file system cannot be mounted here (root is needed): the journal is not tried on a full disk.');
rmSync(disk, { recursive: true, force: true });

(isMounted ? describe : describe.skip)('a journal on a full disk', () => {
  it('refuses what does not fit, keeps what it had, and goes on when there is room again', async () => {
    expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]).status).toBe(0);
    try {
      const { journal } = await Journal.open(path);
      await journal.accept([specOf(0)], 0);
      writeFileSync(join(folder, 'ballast'), Buffer.alloc(40_000));
      const many = Array.from({ length: 1_000 }, (_, index) => specOf(1_000 + index));
      await expect(journal.accept(many, 0)).rejects.toThrow('ENOSPC');
      for (const { attempt } of many) journal.ended({ attempt, state: 'REJECTED', at: 1 });
      for (const { attempt } of many) journal.forgotten(attempt);
      rmSync(join(folder, 'ballast'));
      await journal.accept([specOf(1)], 0);
      await journal.close();
      expect(await openIds()).toEqual(ids(2));
    } finally {
      spawnSync('umount', [folder]);
    }
  });
});
