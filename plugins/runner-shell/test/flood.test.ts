import { appendFileSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setImmediate as turn } from 'node:timers/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Tail } from '../src/tail.ts';
import { complaintsOf, NodeUnderTest } from './node-under-test.ts';

describe('a command that floods', () => {
  let node: NodeUnderTest;
  beforeAll(() => {
    node = new NodeUnderTest();
  });
  afterAll(async () => {
    expect(await node.close()).toEqual({ files: [], processes: [] });
  });

  it('runs to its end, and its last words are heard', async () => {
    const gate = node.gate();
    const attempt = node.attempt({
      command: `timeout 2 yes 0123456789abcdef; echo over >&2; read -r _ < "${gate.path}"; echo the end`,
    });
    const ended = attempt.run();
    // While it is being cut back the file may lose what is printed in that moment: its last words come after the flood.
    while (complaintsOf(attempt) !== 'over\n') await turn();
    gate.open();
    expect((await ended).ok).toBe(true);
    expect(attempt.printed.stdout.at(-1)!.toString()).toMatch(/the end\n$/);
  }, 60_000);
});

describe('a tail', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-tail-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const collector = () => {
    const pieces: Buffer[] = [];
    const target = new Writable({
      write: (piece: Buffer, _, done) => {
        pieces.push(piece);
        done();
      },
    });
    return { target, text: () => Buffer.concat(pieces).toString() };
  };

  it('hands on what is appended, and cuts the file back without losing what comes after', async () => {
    const path = join(folder, 'growing');
    writeFileSync(path, '');
    const { target, text } = collector();
    const tail = new Tail(path, () => target, { backlogBytes: 1_000, keptBytes: 100, fileBytes: 50 });
    for (let n = 10; n < 40; n++) {
      appendFileSync(path, `line ${n}\n`);
      tail.look();
    }
    await tail.finish();
    expect(text()).toBe(Array.from({ length: 30 }, (_, index) => `line ${index + 10}\n`).join(''));
    expect(statSync(path).size).toBeLessThan(60);
  });

  it('skips what is too much to catch up with, and says how much', async () => {
    const path = join(folder, 'long');
    writeFileSync(path, 'x'.repeat(5_000) + 'y'.repeat(100));
    const { target, text } = collector();
    await new Tail(path, () => target, { backlogBytes: 1_000, keptBytes: 100, fileBytes: 10_000 }).finish();
    expect(text()).toBe(
      `\n… 5000 bytes are left out here: they came faster than they were taken …\n${'y'.repeat(100)}`,
    );
  });

  it('waits while its stream is full, but lets the file grow only so far, and keeps the last of it', async () => {
    const path = join(folder, 'blocked');
    writeFileSync(path, 'a'.repeat(100));
    let release = (): void => undefined;
    const pieces: string[] = [];
    const target = new Writable({
      highWaterMark: 10,
      write: (piece: Buffer, _, done) => {
        pieces.push(piece.toString());
        release = done;
      },
    });
    const tail = new Tail(path, () => target, { backlogBytes: 1_000, keptBytes: 100, fileBytes: 500 });
    tail.look();
    appendFileSync(path, 'b'.repeat(600));
    tail.look();
    expect(statSync(path).size).toBe(0);
    appendFileSync(path, 'c');
    const finished = tail.finish();
    const drain = setInterval(() => release(), 1);
    await finished;
    clearInterval(drain);
    release();
    expect(pieces.join('')).toBe(
      `${'a'.repeat(100)}\n… 500 bytes are left out here: they came faster than they were taken …\n${'b'.repeat(100)}c`,
    );
  });

  it('is not disturbed by a file that was never made', () => {
    const { target } = collector();
    expect(new Tail(join(folder, 'none'), () => target).finish()).toBeNull();
  });
});
