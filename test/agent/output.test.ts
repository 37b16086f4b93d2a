import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { AttemptLog, HEAD_BYTES } from '../../server/agent/attempt-log.ts';
import { DRAIN_MS, LogShipper } from '../../server/agent/log-shipper.ts';
import { RING_BYTES, RingMemory } from '../../server/agent/output-ring.ts';
import type { NodeLogChunk } from '../../server/protocol/gateway.ts';
import { FakeClock } from './fake-clock.ts';
import { specOf } from './specs.ts';

const MB = 1_000_000;

let clock: FakeClock;
let memory: RingMemory;
let stored: NodeLogChunk[];
/** What storing does before it keeps the chunks. */
let store: () => Promise<void>;
let shipper: LogShipper;
beforeEach(() => {
  clock = new FakeClock();
  memory = new RingMemory();
  stored = [];
  store = () => Promise.resolve();
  const send = async (chunks: readonly NodeLogChunk[]) => {
    await store();
    stored.push(...chunks);
  };
  shipper = new LogShipper(send, clock, pino({ level: 'silent' }));
});

const logOf = (ordinal = 0, sentSeq = 0) =>
  new AttemptLog({
    attempt: specOf(ordinal).attempt,
    sentSeq,
    shipper,
    memory,
    clock,
    mask: null,
    onOutput: () => undefined,
  });
/** Resolves when the log has ended as its executor would have waited for it. */
const end = async (log: AttemptLog) => clock.pass(Promise.resolve(log.end()));
async function print(stream: Writable, bytes: Buffer | string): Promise<void> {
  if (!stream.write(bytes)) await clock.pass(once(stream, 'drain'));
}
const text = (stream?: NodeLogChunk['stream']) =>
  stored
    .filter((chunk) => stream === undefined || chunk.stream === stream)
    .map((chunk) => chunk.text)
    .join('');

describe('the output of an attempt', () => {
  it('is numbered on from where the agent before may have been', async () => {
    const log = logOf(0, 5_000);
    await print(log.stdout, 'after the restart\n');
    await end(log);
    expect(stored).toMatchObject([{ seq: 5_001, text: 'after the restart\n' }]);
  });

  it.each([
    ['in pieces', 64 * 1024],
    ['in one line that is written at once', 200 * MB],
  ])('keeps its head and its tail when it is a flood of 200 MB %s, and says what is missing', async (_, pieceBytes) => {
    const log = logOf();
    const total = Math.ceil((200 * MB) / pieceBytes) * pieceBytes;
    const piece = Buffer.alloc(pieceBytes, 'y');
    const before = process.memoryUsage().rss;
    let highest = before;
    for (let printed = 0; printed < total; printed += pieceBytes) {
      await print(log.stdout, piece);
      highest = Math.max(highest, process.memoryUsage().rss);
    }
    await print(log.stdout, 'the last words\n');
    await end(log);
    highest = Math.max(highest, process.memoryUsage().rss);
    const [head, tail] = text().split(/… \d+ bytes left out …\n/) as [string, string];
    expect(head.length).toBe(HEAD_BYTES);
    expect(tail.length).toBe(RING_BYTES);
    expect(tail.endsWith('y'.repeat(1_000) + 'the last words\n')).toBe(true);
    expect(text('SYSTEM')).toBe(`… ${total + 15 - HEAD_BYTES - RING_BYTES} bytes left out …\n`);
    expect(highest - before).toBeLessThan(150 * MB);
  });

  it('costs no more memory when twenty floods come at once', async () => {
    const logs = Array.from({ length: 20 }, (_, ordinal) => logOf(ordinal));
    const piece = Buffer.alloc(64 * 1024, 'y');
    // Nothing is kept here: what is counted is the agent's.
    store = () => {
      stored = [];
      return Promise.resolve();
    };
    const before = process.memoryUsage().rss;
    for (let count = 0; count < 400; count++) for (const log of logs) await print(log.stdout, piece);
    const kept = process.memoryUsage().rss - before;
    for (const log of logs) await end(log);
    expect(kept).toBeLessThan(200 * MB);
  });
});

describe('a log store', () => {
  it('that hangs holds an end up for a bounded time, and a flood costs bounded memory', async () => {
    store = () => new Promise(() => undefined);
    const log = logOf();
    const before = process.memoryUsage().rss;
    const piece = Buffer.alloc(64 * 1024, 'y');
    for (let count = 0; count < 1_600; count++) await print(log.stdout, piece);
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * MB);
    const began = clock.now();
    await end(log);
    expect(clock.now() - began).toBeLessThanOrEqual(1.5 * DRAIN_MS);
    expect(clock.now() - began).toBeGreaterThanOrEqual(DRAIN_MS);
  });

  it('that hangs does not keep the agent from stopping', async () => {
    store = () => new Promise(() => undefined);
    const log = logOf();
    await print(log.stdout, 'words\n');
    const ended = log.end();
    void shipper.close();
    await ended;
  });
});
