import type { LogFeedData } from '../../client/operations.ts';
import { EscapeReader } from './escape-sequences.ts';
import { TerminalLine, type LineText } from './terminal-line.ts';
import { Styling } from './text-style.ts';

type Chunk = Pick<LogFeedData['logs'], 'text' | 'stream' | 'attemptNumber' | 'at'>;

/** A line of a log, as a terminal shows it. */
export interface LogLine extends LineText {
  readonly stream: Chunk['stream'];
  readonly attempt: number;
  readonly at: string;
}

/** A terminal breaks longer lines, and so does this: nobody scrolls so far to the right. Characters. */
const MAX_LINE = 20_000;

/** One stream of one attempt: where it is in its output. */
class Stream {
  readonly reader = new EscapeReader();
  readonly styling = new Styling();
  /** Its unfinished line, and where that stands in the log. */
  open: { readonly line: TerminalLine; readonly at: number } | null = null;
}

/** The log of a task run, chunk by chunk. A line may come in several chunks; streams do not mix within a line. */
export class LogLines {
  readonly lines: LogLine[] = [];
  readonly #streams = new Map<string, Stream>();

  /** The places of the lines that may still change, in no order: the last of each stream. */
  get open(): readonly number[] {
    return [...this.#streams.values()].flatMap(({ open }) => (open === null ? [] : [open.at]));
  }

  add(chunk: Chunk): void {
    const key = `${chunk.attemptNumber} ${chunk.stream}`;
    let stream = this.#streams.get(key);
    if (stream === undefined) this.#streams.set(key, (stream = new Stream()));
    const { reader, styling } = stream;
    for (const action of reader.read(chunk.text)) {
      switch (action.type) {
        case 'TEXT':
          this.#line(stream, chunk).write(action.text, styling.current);
          if (this.#line(stream, chunk).length > MAX_LINE) this.#close(stream);
          break;
        case 'NEWLINE':
          this.#line(stream, chunk);
          this.#close(stream);
          break;
        case 'COLUMN':
          if (stream.open !== null || action.column > 0) this.#line(stream, chunk).moveTo(action.column);
          break;
        case 'MOVE':
          if (stream.open !== null || action.columns > 0) this.#line(stream, chunk).moveBy(action.columns);
          break;
        case 'ERASE':
          stream.open?.line.erase(action.what);
          break;
        case 'STYLE':
          styling.select(action.parameters);
          break;
        case 'LINK':
          styling.lead(action.uri);
          break;
        default:
          action satisfies never;
      }
    }
    this.#settle(stream);
  }

  #line(stream: Stream, { stream: name, attemptNumber, at }: Chunk): TerminalLine {
    if (stream.open === null) {
      const place = this.lines.push({ text: '', spans: null, stream: name, attempt: attemptNumber, at }) - 1;
      stream.open = { line: new TerminalLine(), at: place };
    }
    return stream.open.line;
  }

  #close(stream: Stream): void {
    this.#settle(stream);
    stream.open = null;
  }

  /** Writes the unfinished line down as it stands. */
  #settle({ open }: Stream): void {
    if (open !== null) this.lines[open.at] = { ...this.lines[open.at]!, ...open.line.current() };
  }
}
