import { styleText } from 'node:util';
import { oneLine, widthOf } from './terminal-text.ts';

/** HUMAN: a terminal. PLAIN: piped; one thing per line, fields between tabs, no headings. JSON: for programs. */
export type Rendering = 'HUMAN' | 'PLAIN' | 'JSON';

/** Where text goes. `process.stdout` is one. */
export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

type Style = Parameters<typeof styleText>[0];

/** A column of a table. */
export interface Column<Row> {
  readonly heading: string;
  /** What programs and terminals show; text of others need not be cleaned before. */
  readonly value: (row: Row) => string | number | null;
  readonly style?: (row: Row) => Style | null;
  readonly alignsRight?: boolean;
}

/** The one place that writes: every command hands its result here and knows nothing of terminals. */
export class Output {
  readonly rendering: Rendering;
  readonly hasColours: boolean;
  readonly #out: Sink;
  readonly #err: Sink;

  constructor(
    out: Sink,
    err: Sink,
    facts: { readonly json: boolean; readonly env: Readonly<Record<string, string | undefined>> },
  ) {
    this.#out = out;
    this.#err = err;
    this.rendering = facts.json ? 'JSON' : out.isTTY ? 'HUMAN' : 'PLAIN';
    // https://no-color.org: present and not empty.
    this.hasColours = this.rendering === 'HUMAN' && !facts.env['NO_COLOR'] && facts.env['TERM'] !== 'dumb';
  }

  /** Some terminals say 0 for “unknown”. */
  get columns(): number {
    return this.#out.columns || 80;
  }

  get rows(): number {
    return this.#out.rows || 24;
  }

  /** Text as it is. */
  write(text: string): void {
    this.#out.write(text);
  }

  line(text = ''): void {
    this.#out.write(`${text}\n`);
  }

  /** For people only, and never into a pipe's data. */
  note(text: string): void {
    if (this.rendering !== 'JSON') this.#err.write(`${text}\n`);
  }

  /** One whole result: the value for programs, the lines for everybody else. */
  result(value: unknown, lines: () => readonly string[]): void {
    if (this.rendering === 'JSON') this.line(JSON.stringify(value, null, 2));
    else for (const line of lines()) this.line(line);
  }

  /** One of a stream of results: a line of NDJSON, or a line of text. */
  item(value: unknown, line: () => string | null): void {
    if (this.rendering === 'JSON') this.line(JSON.stringify(value));
    else {
      const text = line();
      if (text !== null) this.line(text);
    }
  }

  /** What ended the command, on standard error. */
  failure(failure: {
    readonly code: string;
    readonly message: string;
    readonly remedy: string | null;
    readonly details: readonly string[];
  }): void {
    const { code, message, remedy, details } = failure;
    if (this.rendering === 'JSON') {
      this.#err.write(`${JSON.stringify({ error: { code, message, remedy } })}\n`);
      return;
    }
    const isColoured = this.#err.isTTY === true && this.hasColours;
    const label = isColoured ? styleText(['red', 'bold'], 'error', { validateStream: false }) : 'error';
    this.#err.write(`${label}: ${oneLine(message)}\n`);
    for (const line of details) this.#err.write(`${line}\n`);
    if (remedy !== null) this.#err.write(`${oneLine(remedy)}\n`);
  }

  /** The text in colour where there are colours. */
  styled(style: Style | null, text: string): string {
    return this.hasColours && style !== null ? styleText(style, text, { validateStream: false }) : text;
  }

  /** The lines of a table: aligned under headings on a terminal, fields between tabs in a pipe. */
  table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], whenEmpty: string): readonly string[] {
    const cells = rows.map((row) => columns.map((column) => oneLine(String(column.value(row) ?? ''))));
    if (this.rendering !== 'HUMAN') return cells.map((row) => row.join('\t'));
    if (rows.length === 0) return [whenEmpty];
    const widths = columns.map((column, at) =>
      Math.max(widthOf(column.heading), ...cells.map((row) => widthOf(row[at] ?? ''))),
    );
    const aligned = (text: string, at: number): string => {
      const blanks = ' '.repeat((widths[at] ?? 0) - widthOf(text));
      if (columns[at]?.alignsRight) return blanks + text;
      return at === columns.length - 1 ? text : text + blanks;
    };
    const head = columns.map((column, at) => this.styled('dim', aligned(column.heading.toUpperCase(), at))).join('  ');
    const body = cells.map((row, rowAt) =>
      row
        .map((text, at) => {
          const style = columns[at]?.style?.(rows[rowAt] as Row) ?? null;
          return this.styled(style, aligned(text, at));
        })
        .join('  '),
    );
    return [head, ...body];
  }
}

const STATE_STYLES: Readonly<Record<string, Style>> = {
  SUCCEEDED: 'green',
  CACHED: 'green',
  READY: 'green',
  RUNNING: 'cyan',
  STARTING: 'cyan',
  ASSIGNED: 'cyan',
  FAILED: 'red',
  TIMED_OUT: 'red',
  LOST: 'red',
  UPSTREAM_FAILED: 'red',
  REJECTED: 'red',
  CANCELLED: 'yellow',
  CANCELLING: 'yellow',
  BACKOFF: 'yellow',
  SUSPECT: 'yellow',
  SUSPECTED: 'yellow',
  RUNNER_FAILED: 'red',
  CORDONED: 'yellow',
  PAUSED: 'yellow',
};

/** The colour of a state of anything. */
export const styleOfState = (state: string): Style => STATE_STYLES[state] ?? 'dim';
