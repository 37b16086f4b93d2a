import { StringDecoder } from 'node:string_decoder';
import { Writable } from 'node:stream';
import type { Clock } from '../clock.ts';
import type { AttemptId } from '../domain/ids.ts';
import type { NodeLogChunk } from '../protocol/gateway.ts';
import { CHUNK_BYTES, type LogChannel, type LogShipper } from './log-shipper.ts';
import type { MaskedStream, SecretMask } from './secret-mask.ts';
import { OutputRing, type RingMemory, type Stretch } from './output-ring.ts';

/** Of one attempt's output so much goes out as it comes; of what follows, the last part is kept. Bytes. */
export const HEAD_BYTES = 8 * 1024 * 1024;
/** A task is held up for at most so long by a log store that cannot keep up. Milliseconds. */
const HOLD_UP_MS = 1_000;
/** After so much output others have their turn. Bytes. */
const BURST_BYTES = 256 * 1024;
const REPLACEMENT = '\uFFFD';

type Stream = NodeLogChunk['stream'];
type PrintedStream = Exclude<Stream, 'SYSTEM'>;
const PRINTED = ['STDOUT', 'STDERR'] as const satisfies PrintedStream[];

export interface AttemptLogOptions {
  readonly attempt: AttemptId;
  /** The number before the first chunk's: 0, unless an agent before has sent some. */
  readonly sentSeq: number;
  readonly shipper: LogShipper;
  readonly memory: RingMemory;
  readonly clock: Clock;
  /** Hides the attempt's secrets; null where it has none. */
  readonly mask: SecretMask | null;
  /** Something was printed. */
  onOutput(): void;
}

/**
 * One attempt's output on its way: two byte streams become text in the order in which they were read. The head goes out
 * as it comes. What follows is kept in a ring, so that a flood neither fills the store nor holds up the task; at the
 * end the ring's content goes out behind a marker that says how much is missing. While the store does not keep up the
 * ring takes a detour's output, too.
 */
export class AttemptLog {
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly #options: AttemptLogOptions;
  readonly #channel: LogChannel;
  readonly #decoders = { STDOUT: new StringDecoder('utf8'), STDERR: new StringDecoder('utf8') };
  readonly #masks: Readonly<Record<PrintedStream, MaskedStream>> | null;
  #ring: OutputRing | null = null;
  #sentBytes = 0;
  #burstBytes = 0;
  #isDetoured = false;
  #hasBinary = false;
  #isEnding = false;
  #hasEnded = false;
  /** Goes on with a stream that is held up. */
  readonly #held = new Set<() => void>();

  constructor(options: AttemptLogOptions) {
    this.#options = options;
    this.#channel = options.shipper.open(options.attempt, options.sentSeq);
    const { mask } = options;
    this.#masks = mask && { STDOUT: mask.stream(), STDERR: mask.stream() };
    this.stdout = this.#writable('STDOUT');
    this.stderr = this.#writable('STDERR');
  }

  /** A line of Gantry's own. */
  note(text: string): void {
    if (!this.#hasEnded) void this.#take('SYSTEM', Buffer.from(`${text}\n`));
  }

  /**
   * Sends what is still held back; what is printed later is dropped. To be called when the runner has settled. Null, or
   * a promise that resolves when everything is stored or the store is given up.
   */
  end(): Promise<void> | null {
    if (this.#hasEnded) return null;
    // What was printed is still to be read, though the runner did not wait until it was.
    this.#isEnding = true;
    for (const goOn of this.#held) goOn();
    this.#hasEnded = true;
    if (this.#masks) for (const stream of PRINTED) void this.#take(stream, this.#masks[stream].end());
    this.#replay();
    for (const stream of PRINTED) {
      const rest = this.#decoders[stream].end();
      if (rest !== '') void this.#push(stream, this.#options.clock.now(), rest);
    }
    return this.#options.shipper.drained(this.#channel);
  }

  #writable(stream: PrintedStream): Writable {
    const { clock, onOutput } = this.#options;
    const writable = new Writable({
      write: (bytes: Buffer, _encoding, done) => {
        if (this.#hasEnded) return done();
        onOutput();
        const room = this.#take(stream, this.#masks ? this.#masks[stream].push(bytes) : bytes);
        this.#burstBytes += bytes.length;
        if (this.#burstBytes >= BURST_BYTES) this.#burstBytes = 0;
        else if (!room) return done();
        this.#hold(done, room ?? clock.turn());
      },
    });
    // A plugin that writes after the end is told nothing: it must not take the process down either.
    return writable.on('error', () => undefined);
  }

  /** A stream reads on when there is room, or when nobody is to be held up any more. */
  #hold(done: () => void, room: Promise<void>): void {
    if (this.#isEnding) return done();
    const goOn = () => {
      if (this.#held.delete(goOn)) done();
    };
    this.#held.add(goOn);
    void room.then(goOn);
  }

  #take(stream: Stream, bytes: Buffer): Promise<void> | null {
    const at = this.#options.clock.now();
    const headBytes = this.#isDetoured ? 0 : Math.min(Math.max(HEAD_BYTES - this.#sentBytes, 0), bytes.length);
    const room = headBytes > 0 ? this.#send({ stream, at, bytes: bytes.subarray(0, headBytes) }) : null;
    if (headBytes < bytes.length) {
      this.#ring ??= new OutputRing(this.#options.memory);
      this.#ring.put(stream, at, bytes.subarray(headBytes));
    }
    return room && !this.#isEnding ? this.#wait(room) : null;
  }

  #send({ stream, at, bytes }: Stretch): Promise<void> | null {
    this.#sentBytes += bytes.length;
    if (stream === 'SYSTEM') return this.#push(stream, at, bytes.toString());
    const text = this.#decoders[stream].write(bytes);
    const room = text === '' ? null : this.#push(stream, at, text);
    if (this.#hasBinary || !text.includes(REPLACEMENT) || bytes.includes(REPLACEMENT)) return room;
    this.#hasBinary = true;
    return this.#push('SYSTEM', at, `Some output is not UTF-8; what cannot be read is shown as ${REPLACEMENT}.\n`);
  }

  #push(stream: Stream, at: number, text: string): Promise<void> | null {
    const { shipper } = this.#options;
    let room: Promise<void> | null = null;
    for (const piece of piecesOf(text)) room = shipper.push(this.#channel, stream, at, piece);
    return room;
  }

  /** Waits for room, but not for long: then the output takes the detour, until there is room again. */
  async #wait(room: Promise<void>): Promise<void> {
    const patience = new AbortController();
    const hasRoom = room.then(() => true);
    const isLate = this.#options.clock.sleep(HOLD_UP_MS, patience.signal).then(
      () => false,
      () => false,
    );
    const wasInTime = await Promise.race([hasRoom, isLate]);
    patience.abort();
    if (wasInTime || this.#isDetoured) return;
    this.#isDetoured = true;
    void hasRoom.then(() => this.#return());
  }

  /** The store keeps up again. What was kept goes out, if it is no more than the head has room for. */
  #return(): void {
    if (this.#hasEnded) return;
    const isLate = this.#ring !== null && this.#ring.size > HEAD_BYTES - this.#sentBytes;
    if (isLate) return;
    this.#replay();
    this.#isDetoured = false;
  }

  #replay(): void {
    const ring = this.#ring;
    if (ring === null) return;
    const { leftOut } = ring;
    const cut = new Set<Stream>();
    if (leftOut > 0) {
      for (const stream of ['STDOUT', 'STDERR'] as const) {
        this.#decoders[stream].end();
        cut.add(stream);
      }
      void this.#push('SYSTEM', this.#options.clock.now(), `… ${leftOut} bytes left out …\n`);
    }
    for (const stretch of ring.drain()) {
      const bytes = cut.delete(stretch.stream) ? fromCharacter(stretch.bytes) : stretch.bytes;
      void this.#send({ ...stretch, bytes });
    }
    this.#ring = null;
  }
}

/** Without the rest of a character that was cut. */
function fromCharacter(bytes: Buffer): Buffer {
  let start = 0;
  while (start < 3 && start < bytes.length && (bytes[start]! & 0xc0) === 0x80) start++;
  return bytes.subarray(start);
}

/** Parts of a text that fit into a chunk as UTF-8, without a character cut. */
function* piecesOf(text: string): Generator<string> {
  if (text.length * 3 <= CHUNK_BYTES) return yield text;
  for (let start = 0; start < text.length;) {
    let end = Math.min(start + CHUNK_BYTES, text.length);
    while (Buffer.byteLength(text.slice(start, end)) > CHUNK_BYTES) end = start + ((end - start) >> 1);
    const isHighSurrogate = (text.charCodeAt(end - 1) & 0xfc00) === 0xd800;
    if (end < text.length && isHighSurrogate) end--;
    yield text.slice(start, end);
    start = end;
  }
}
