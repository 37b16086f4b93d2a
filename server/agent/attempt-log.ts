import { StringDecoder } from 'node:string_decoder';
import { Writable } from 'node:stream';
import type { Clock } from '../clock.ts';
import type { AttemptId } from '../domain/ids.ts';
import type { NodeLogChunk } from '../protocol/gateway.ts';

/** Of one attempt's output the first and the last part are kept. Bytes of text, by UTF-16 length. */
export const HEAD_CHARACTERS = 8 * 1024 * 1024;
export const TAIL_CHARACTERS = 8 * 1024 * 1024;
/** The most that one chunk holds. */
const CHUNK_CHARACTERS = 32 * 1024;
const REPLACEMENT = '\uFFFD';

type Stream = NodeLogChunk['stream'];

/** Takes chunks to the server; resolves when there is room for more. */
export interface LogSink {
  push(chunk: NodeLogChunk): Promise<void> | null;
}

/**
 * One attempt's output on its way: two byte streams become text chunks in the order in which they were read. The head
 * goes out as it comes, with back-pressure. What follows is kept in a ring, so that a flood neither fills the store
 * nor holds up the task; at the end its last part goes out behind a marker that says how much is missing.
 */
export class AttemptLog {
  readonly #attempt: AttemptId;
  readonly #sink: LogSink;
  readonly #clock: Clock;
  #seq = 0;
  #sent = 0;
  #tail: { readonly stream: Stream; readonly at: number; readonly text: string }[] = [];
  #tailCharacters = 0;
  #leftOut = 0;
  #hasBinary = false;
  readonly #onOutput: () => void;
  readonly #streams: { readonly stdout: Writable; readonly stderr: Writable };
  readonly #decoders = {
    STDOUT: new StringDecoder('utf8'),
    STDERR: new StringDecoder('utf8'),
    SYSTEM: new StringDecoder('utf8'),
  };

  constructor(attempt: AttemptId, sink: LogSink, clock: Clock, onOutput: () => void) {
    this.#attempt = attempt;
    this.#sink = sink;
    this.#clock = clock;
    this.#onOutput = onOutput;
    this.#streams = { stdout: this.#writable('STDOUT'), stderr: this.#writable('STDERR') };
  }

  get stdout(): Writable {
    return this.#streams.stdout;
  }
  get stderr(): Writable {
    return this.#streams.stderr;
  }

  /** A line of Gantry's own. */
  note(text: string): void {
    void this.#take('SYSTEM', `${text}\n`);
  }

  /** Sends what is still held back. To be called once, when the runner has settled. */
  end(): void {
    for (const stream of ['STDOUT', 'STDERR'] as const) {
      const rest = this.#decoders[stream].end();
      if (rest !== '') void this.#take(stream, rest);
    }
    if (this.#leftOut > 0)
      this.#send('SYSTEM', `… ${this.#leftOut} characters of output left out here …\n`, this.#clock.now());
    for (const { stream, at, text } of this.#tail) this.#send(stream, text, at);
    this.#tail = [];
    if (this.#hasBinary)
      this.#send(
        'SYSTEM',
        `Some output was not UTF-8; what could not be read is shown as ${REPLACEMENT}.\n`,
        this.#clock.now(),
      );
  }

  #writable(stream: 'STDOUT' | 'STDERR'): Writable {
    const decoder = this.#decoders[stream];
    return new Writable({
      decodeStrings: true,
      write: (chunk: Buffer, _encoding, done) => {
        this.#onOutput();
        const text = decoder.write(chunk);
        if (!this.#hasBinary && text.includes(REPLACEMENT) && !chunk.includes(REPLACEMENT)) this.#hasBinary = true;
        const room = text === '' ? null : this.#take(stream, text);
        if (room) room.then(() => done(), done);
        else done();
      },
    });
  }

  #take(stream: Stream, text: string): Promise<void> | null {
    const head = text.slice(0, Math.max(HEAD_CHARACTERS - this.#sent, 0));
    let room: Promise<void> | null = null;
    if (head !== '') room = this.#send(stream, head, this.#clock.now());
    if (head.length < text.length) this.#keep(stream, text.slice(head.length));
    return room;
  }

  #send(stream: Stream, text: string, at: number): Promise<void> | null {
    this.#sent += text.length;
    let room: Promise<void> | null = null;
    for (let start = 0; start < text.length; start += CHUNK_CHARACTERS) {
      room = this.#sink.push({
        attempt: this.#attempt,
        seq: ++this.#seq,
        stream,
        at,
        text: text.slice(start, start + CHUNK_CHARACTERS),
      });
    }
    return room;
  }

  #keep(stream: Stream, text: string): void {
    this.#tail.push({ stream, at: this.#clock.now(), text });
    this.#tailCharacters += text.length;
    let dropped = 0;
    while (this.#tailCharacters - this.#tail[dropped]!.text.length >= TAIL_CHARACTERS) {
      this.#tailCharacters -= this.#tail[dropped]!.text.length;
      this.#leftOut += this.#tail[dropped]!.text.length;
      dropped++;
    }
    if (dropped > 0) this.#tail.splice(0, dropped);
  }
}
