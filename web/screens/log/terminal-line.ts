import type { TextStyle } from './text-style.ts';

/** A part of a line that has a style. Places in its text, `to` exclusive. */
export interface StyledSpan {
  readonly from: number;
  readonly to: number;
  readonly style: TextStyle;
}

/** A line as it stands: its text, and what of it has a style, in order. */
export interface LineText {
  readonly text: string;
  /** Null for none, which most lines have. */
  readonly spans: readonly StyledSpan[] | null;
}

/** Further to the right nobody writes. Columns. */
const MOST_COLUMNS = 20_000;

/**
 * One line as a terminal keeps it: what is written goes to where the cursor is, over what was there. As long as it is
 * only appended to it is text; with the first move it becomes cells.
 */
export class TerminalLine {
  #text = '';
  #spans: StyledSpan[] = [];
  /** Where the cursor is to go before something is written; null for nowhere. Most carriage returns end a line. */
  #target: number | null = null;
  #cells: { chars: string[]; styles: (TextStyle | null)[]; cursor: number } | null = null;

  /** Characters. */
  get length(): number {
    return this.#cells?.chars.length ?? this.#text.length;
  }

  write(text: string, style: TextStyle | null): void {
    if (this.#cells === null && this.#target === null) {
      if (style !== null) appendSpan(this.#spans, this.#text.length, this.#text.length + text.length, style);
      this.#text += text;
      return;
    }
    const cells = this.#asCells();
    for (const char of text) {
      while (cells.chars.length < cells.cursor) {
        cells.chars.push(' ');
        cells.styles.push(null);
      }
      cells.chars[cells.cursor] = char;
      cells.styles[cells.cursor] = style;
      cells.cursor = Math.min(MOST_COLUMNS, cells.cursor + 1);
    }
  }

  /** Moves the cursor to a column, from 0. */
  moveTo(column: number): void {
    this.#target = Math.max(0, Math.min(MOST_COLUMNS, column));
  }

  moveBy(columns: number): void {
    this.moveTo(this.#asCells().cursor + columns);
  }

  erase(what: 'TO_END' | 'TO_CURSOR' | 'LINE'): void {
    const { chars, styles, cursor } = this.#asCells();
    if (what !== 'TO_CURSOR') {
      const kept = what === 'LINE' ? 0 : cursor;
      chars.splice(kept);
      styles.splice(kept);
      return;
    }
    for (let at = 0; at <= cursor && at < chars.length; at++) {
      chars[at] = ' ';
      styles[at] = null;
    }
  }

  /** As it stands now. */
  current(): LineText {
    if (this.#cells === null) return { text: this.#text, spans: this.#spans.length > 0 ? [...this.#spans] : null };
    const { chars, styles } = this.#cells;
    const spans: StyledSpan[] = [];
    let at = 0;
    for (let cell = 0; cell < chars.length; cell++) {
      const to = at + chars[cell]!.length;
      const style = styles[cell];
      if (style) appendSpan(spans, at, to, style);
      at = to;
    }
    return { text: chars.join(''), spans: spans.length > 0 ? spans : null };
  }

  #asCells() {
    const target = this.#target;
    this.#target = null;
    this.#cells ??= this.#madeCells();
    if (target !== null) this.#cells.cursor = target;
    return this.#cells;
  }

  #madeCells() {
    const chars = Array.from(this.#text);
    const styles: (TextStyle | null)[] = [];
    let at = 0;
    let span = 0;
    for (const char of chars) {
      while (span < this.#spans.length && this.#spans[span]!.to <= at) span++;
      const here = this.#spans[span];
      styles.push(here !== undefined && here.from <= at ? here.style : null);
      at += char.length;
    }
    return { chars, styles, cursor: chars.length };
  }
}

function appendSpan(spans: StyledSpan[], from: number, to: number, style: TextStyle): void {
  const last = spans.at(-1);
  if (last?.style === style && last.to === from) spans[spans.length - 1] = { from: last.from, to, style };
  else spans.push({ from, to, style });
}
