import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { pino } from 'pino';
import { AttemptLog, HEAD_BYTES } from '../../server/agent/attempt-log.ts';
import { CHUNK_BYTES, LogShipper } from '../../server/agent/log-shipper.ts';
import { OutputRing, RING_BYTES, RingMemory } from '../../server/agent/output-ring.ts';
import { systemClock } from '../../server/clock.ts';
import type { NodeLogChunk } from '../../server/protocol/gateway.ts';
import { specOf } from './specs.ts';

const { attempt } = specOf(0);
const silent = pino({ level: 'silent' });

/** An attempt's log into a store that does what the test wants; by default it keeps everything. */
function someLog(store: (chunks: readonly NodeLogChunk[]) => Promise<void> = () => Promise.resolve()) {
  const chunks: NodeLogChunk[] = [];
  const shipper = new LogShipper(
    async (batch) => {
      await store(batch);
      for (const chunk of batch) chunks.push(chunk);
    },
    systemClock,
    silent,
  );
  const log = new AttemptLog({
    attempt,
    sentSeq: 0,
    shipper,
    memory: new RingMemory(),
    clock: systemClock,
    mask: null,
    onOutput: () => undefined,
  });
  const textOf = (...streams: readonly NodeLogChunk['stream'][]) =>
    chunks
      .filter(({ stream }) => streams.includes(stream))
      .map(({ text }) => text)
      .join('');
  return { log, shipper, chunks, textOf };
}

/** Writes as a well-behaved program does: it waits when it is asked to. */
async function print(log: AttemptLog, piece: Buffer, times: number): Promise<void> {
  for (let time = 0; time < times; time++) if (!log.stdout.write(piece)) await once(log.stdout, 'drain');
}

describe('the log of an attempt', () => {
  it('keeps both streams in the order in which they were printed, numbered without gaps', async () => {
    const { log, chunks } = someLog();
    log.stdout.write('one\n');
    log.stderr.write('two\n');
    log.stdout.write('three\n');
    log.stdout.write('four\n');
    log.note('five');
    await log.end();
    expect(chunks.map(({ seq, stream, text }) => [seq, stream, text])).toEqual([
      [1, 'STDOUT', 'one\n'],
      [2, 'STDERR', 'two\n'],
      [3, 'STDOUT', 'three\nfour\n'],
      [4, 'SYSTEM', 'five\n'],
    ]);
  });

  it('reads UTF-8 that is cut anywhere', async () => {
    const text = 'Grüße, 世界, 😀!\n'.repeat(3);
    const bytes = Buffer.from(text);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const { log, textOf } = someLog();
      log.stdout.write(bytes.subarray(0, cut));
      log.stdout.write(bytes.subarray(cut));
      await log.end();
      expect(textOf('STDOUT')).toBe(text);
      expect(textOf('SYSTEM')).toBe('');
    }
  });

  it('says once that output was binary, and keeps the rest', async () => {
    const { log, textOf } = someLog();
    for (let time = 0; time < 3; time++) log.stdout.write(Buffer.from([0x41, 0xff, 0xfe, 0x80, 0x42]));
    await log.end();
    expect(textOf('STDOUT')).toBe('A\uFFFD\uFFFD\uFFFDB'.repeat(3));
    expect(textOf('SYSTEM').match(/not UTF-8/g)).toHaveLength(1);
  });

  it('tells the rest of a character that never came', async () => {
    const { log, textOf } = someLog();
    log.stdout.write(Buffer.from('😀').subarray(0, 3));
    await log.end();
    expect(textOf('STDOUT')).toBe('\uFFFD');
  });

  it('cuts large output into chunks, and no character in two', async () => {
    const { log, chunks, textOf } = someLog();
    const text = '😀ä'.repeat(100_000);
    log.stdout.write(text);
    await log.end();
    expect(textOf('STDOUT')).toBe(text);
    for (const chunk of chunks) {
      expect(Buffer.byteLength(chunk.text)).toBeLessThanOrEqual(CHUNK_BYTES);
      expect(chunk.text.isWellFormed()).toBe(true);
    }
    expect(chunks.map(({ seq }) => seq)).toEqual(chunks.map((_, index) => index + 1));
  });

  it('of a flood keeps the head and the tail, says how much is missing, and needs little memory', async () => {
    const { log, textOf } = someLog();
    const line = (n: number) => `line ${String(n).padStart(10, '0')} of a flood of output, all alike\n`;
    const lineBytes = line(0).length;
    const linesAtOnce = 1_000;
    const flood = 200 * 1024 * 1024;
    const count = Math.ceil(flood / lineBytes / linesAtOnce) * linesAtOnce;
    const before = process.memoryUsage().rss;
    let highest = before;
    for (let first = 0; first < count; first += linesAtOnce) {
      const piece = Buffer.from(Array.from({ length: linesAtOnce }, (_, index) => line(first + index)).join(''));
      await print(log, piece, 1);
      highest = Math.max(highest, process.memoryUsage().rss);
    }
    await log.end();
    const kept = textOf('STDOUT');
    const leftOut = count * lineBytes - HEAD_BYTES - RING_BYTES;
    expect(textOf('SYSTEM')).toBe(`… ${leftOut} bytes left out …\n`);
    expect(kept.length).toBe(HEAD_BYTES + RING_BYTES);
    expect(kept.startsWith(line(0) + line(1))).toBe(true);
    expect(kept.endsWith(line(count - 2) + line(count - 1))).toBe(true);
    // Half of it is what this test keeps itself.
    expect((highest - before) / 2 ** 20).toBeLessThan(150);
  });

  it('takes two streams that alternate byte by byte, in chunks that cost more than they hold', async () => {
    let mostAtOnce = 0;
    const { log, textOf, chunks } = someLog((batch) => {
      mostAtOnce = Math.max(mostAtOnce, batch.length);
      return Promise.resolve();
    });
    for (let time = 0; time < 100_000; time++) {
      const hasRoom = [log.stdout.write('o'), log.stderr.write('e')];
      if (!hasRoom[0]) await once(log.stdout, 'drain');
      if (!hasRoom[1] && log.stderr.writableNeedDrain) await once(log.stderr, 'drain');
    }
    await log.end();
    expect(textOf('STDOUT') === 'o'.repeat(100_000)).toBe(true);
    expect(textOf('STDERR') === 'e'.repeat(100_000)).toBe(true);
    expect(textOf('SYSTEM')).toBe('');
    expect(chunks.every(({ seq }, index) => seq === index + 1)).toBe(true);
    // 1 MiB, of which each chunk takes its byte and 128 more.
    expect(mostAtOnce).toBeLessThanOrEqual(8_129);
  });

  it('sends again what was not stored, and nothing twice', async () => {
    let refusals = 3;
    const { log, textOf } = someLog(() => (refusals-- > 0 ? Promise.reject(new Error('away')) : Promise.resolve()));
    log.stdout.write('precious\n');
    await log.end();
    expect(textOf('STDOUT')).toBe('precious\n');
  });

  it('does not hold a task up for long while the store stands still, and marks what it lost', async () => {
    let goOn: () => void = () => undefined;
    const standstill = new Promise<void>((resolve) => (goOn = resolve));
    const { log, textOf } = someLog(() => standstill);
    const piece = Buffer.alloc(1024 * 1024, 'x');
    // 40 MiB go through while nothing is stored: the task is done with printing.
    await print(log, piece, 40);
    log.stdout.write('the end');
    const ended = log.end();
    goOn();
    await ended;
    const kept = textOf('STDOUT');
    const missing = Number(/… (\d+) bytes left out …/.exec(textOf('SYSTEM'))![1]);
    expect(kept.length + missing).toBe(40 * 1024 * 1024 + 'the end'.length);
    expect(kept.endsWith('xthe end')).toBe(true);
  });

  it('gives the end of an attempt free when it is closed', async () => {
    const { log, shipper } = someLog(() => Promise.reject(new Error('away')));
    log.stdout.write('lost');
    const ended = log.end();
    await shipper.close();
    await ended;
    expect(log.end()).toBeNull();
  });

  it('reads what a runner printed before its end without waiting until it was read', async () => {
    const { log, textOf } = someLog();
    const piece = 'x'.repeat(1024 * 1024);
    for (let time = 0; time < 6; time++) log.stdout.write(piece);
    log.stdout.write('the end');
    await log.end();
    expect(textOf('STDOUT') === `${piece.repeat(6)}the end`).toBe(true);
  });

  it('drops what is printed after the end', async () => {
    const { log, textOf } = someLog();
    log.stdout.write('before');
    await log.end();
    log.stdout.write('after');
    log.note('after');
    log.stdout.end('after');
    log.stdout.write('after the end of the stream');
    await systemClock.turn();
    expect(textOf('STDOUT', 'SYSTEM')).toBe('before');
  });
});

describe('the ring', () => {
  it('keeps the last bytes in order with their streams, whatever is put in', () => {
    const piece = fc.record({
      stream: fc.constantFrom('STDOUT' as const, 'STDERR' as const),
      // Around the size of a new ring, 64 KiB, and far below.
      length: fc.oneof(fc.nat({ max: 40 }), fc.nat({ max: 100_000 })),
    });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), fc.integer({ min: 16, max: 22 }), (pieces, power) => {
        const memory = new RingMemory();
        // So little is left that the ring stays as small as the power says.
        const left = 2 ** power - 2 ** 16;
        expect(memory.take(64 * 1024 * 1024 - left)).toBe(true);
        const ring = new OutputRing(memory);
        // The stream is told by the highest bit, what stands where by the others.
        let value = 0;
        const marked = (stream: string, length: number) =>
          Buffer.from(Uint8Array.from({ length }, () => (value++ % 127) | (stream === 'STDOUT' ? 0x80 : 0)));
        const printed = pieces.map(({ stream, length }) => ({ stream, bytes: marked(stream, length) }));
        for (const { stream, bytes } of printed) ring.put(stream, 0, bytes);
        const all = Buffer.concat(printed.map(({ bytes }) => bytes));
        const { leftOut } = ring;
        const stretches = [...ring.drain()].map(({ stream, bytes }) => ({ stream, bytes: Buffer.from(bytes) }));
        const kept = Buffer.concat(stretches.map(({ bytes }) => bytes));
        expect(kept.equals(all.subarray(leftOut))).toBe(true);
        for (const { stream, bytes } of stretches)
          expect(bytes.every((byte) => byte >= 0x80 === (stream === 'STDOUT'))).toBe(true);
        expect(leftOut === 0 || kept.length >= 2 ** 16).toBe(true);
        expect(memory.take(left)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('gives many floods at once shorter tails instead of more memory', () => {
    const memory = new RingMemory();
    const rings = Array.from({ length: 40 }, () => new OutputRing(memory));
    const piece = Buffer.alloc(1024 * 1024, 'x');
    for (let time = 0; time < 10; time++) for (const ring of rings) ring.put('STDOUT', 0, piece);
    const total = rings.reduce((sum, { size }) => sum + size, 0);
    // 64 MiB of all rings, and the 64 KiB that each begins with.
    expect(total).toBeLessThanOrEqual(64 * 2 ** 20 + 40 * 2 ** 16);
    for (const { size, leftOut } of rings) expect(size + leftOut).toBe(10 * 2 ** 20);
  });
});
