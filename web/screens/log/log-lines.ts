import Anser from 'anser';
import type { LogFeedData } from '../../client/operations.ts';

type Chunk = LogFeedData['logs'];

/** A line of a log, as it was written: escapes included. */
export interface LogLine {
  readonly text: string;
  readonly stream: Chunk['stream'];
  readonly attempt: number;
  readonly at: string;
}

/** A terminal breaks longer lines, and so does this: nobody scrolls so far to the right. Characters. */
const MAX_LINE = 20_000;

/** The log of a task run, chunk by chunk. A line may come in several chunks; streams do not mix within a line. */
export class LogLines {
  readonly lines: LogLine[] = [];
  /** By attempt and stream: where its unfinished line stands. */
  readonly #open = new Map<string, number>();

  add({ text, stream, attemptNumber: attempt, at }: Chunk): void {
    const key = `${attempt} ${stream}`;
    const pieces = text.split('\n');
    pieces.forEach((piece, index) => {
      const isLast = index === pieces.length - 1;
      const open = this.#open.get(key);
      if (open !== undefined) {
        const line = this.lines[open]!;
        this.lines[open] = { ...line, text: line.text + piece };
        if (!isLast || line.text.length + piece.length > MAX_LINE) this.#open.delete(key);
      } else if (!isLast || piece !== '') {
        const at0 = this.lines.push({ text: piece, stream, attempt, at }) - 1;
        if (isLast) this.#open.set(key, at0);
      }
    });
  }
}

/** What a line says, without what colours it. A carriage return starts it over, as in a terminal. */
export const plainText = (text: string): string => Anser.ansiToText(text).replace(/^.*\r(?!$)/, '');
