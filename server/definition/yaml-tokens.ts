import { CST, Lexer, Parser, type LineCounter } from 'yaml';
import { excerpt } from '../domain/excerpt.ts';
import { MAX_DEPTH, MAX_LEXEMES, MAX_PROBLEMS } from './limits.ts';

/*
 * The lexer is flat and linear, the parser behind it is recursive: so depth, length and everything that a pipeline may
 * not hold (tags, anchors, aliases, directives) are refused between the two, lexeme by lexeme.
 */

/** Leaves the parser with what is not part of a pipeline's text. */
export class Unsupported extends Error {
  readonly code: string;
  readonly offset: number;
  readonly suggestion: string | null;
  constructor(code: string, message: string, offset: number, suggestion: string | null) {
    super(message);
    this.code = code;
    this.offset = offset;
    this.suggestion = suggestion;
  }
}

/** What was opened in block style counts up to three per level; what is deeper is refused before it is parsed. */
const MAX_OPEN = 3 * MAX_DEPTH;

const INDICATORS: ReadonlySet<string | null> = new Set(['seq-item-ind', 'explicit-key-ind', 'map-value-ind']);
const BLANKS: ReadonlySet<string | null> = new Set(['space', 'comment']);

/** The parser's tokens of a text. Throws Unsupported before the parser sees what it should not. */
export function* tokensOf(text: string, lines: LineCounter): Generator<CST.Token> {
  const parser = new Parser(lines.addNewLine);
  const depth = new OpenDepth();
  let count = 0;
  let errors = 0;
  let offset = 0;
  let lineStart = 0;
  let isText = false;
  for (const lexeme of new Lexer().lex(text)) {
    const type = isText ? 'scalar' : CST.tokenType(lexeme);
    // These stand for a place in the text and have no length in it.
    const isMark = !isText && (lexeme === CST.DOCUMENT || lexeme === CST.SCALAR || lexeme === CST.FLOW_END);
    isText = !isText && lexeme === CST.SCALAR;
    if (++count > MAX_LEXEMES) {
      const remedy = 'Apply it as GraphQL input instead of YAML.';
      throw new Unsupported('TOO_LARGE', 'The text has more parts than can be read at once.', offset, remedy);
    }
    refuseUnsupported(type, lexeme, offset);
    if (!isMark && depth.after(type, offset - lineStart) > MAX_OPEN) {
      throw new Unsupported('TOO_DEEP', `Lists and maps may lie at most ${MAX_DEPTH} levels deep.`, offset, null);
    }
    if (!isMark) {
      const lastBreak = lexeme.lastIndexOf('\n');
      if (lastBreak >= 0) lineStart = offset + lastBreak + 1;
      offset += lexeme.length;
    }
    for (const token of parser.next(lexeme)) {
      yield token;
      // Enough to report; what follows is not worth reading.
      if (token.type === 'error' && ++errors > MAX_PROBLEMS) return;
    }
  }
  yield* parser.end();
}

/** How many lists and maps may be open at a lexeme: never fewer than there are. */
class OpenDepth {
  #flow = 0;
  /** Where the open lists and maps in block style begin, ascending. */
  readonly #columns: number[] = [];
  #mayOpen = true;

  after(type: CST.TokenType | null, column: number): number {
    if (type === 'flow-map-start' || type === 'flow-seq-start') this.#flow++;
    else if (type === 'flow-map-end' || type === 'flow-seq-end') this.#flow = Math.max(0, this.#flow - 1);
    else if (type === 'newline') this.#mayOpen = true;
    else if (this.#flow === 0 && !BLANKS.has(type)) {
      // Only what begins a line or follows an indicator can begin something of its own.
      if (this.#mayOpen) {
        while ((this.#columns.at(-1) ?? -1) > column) this.#columns.pop();
        if (this.#columns.at(-1) !== column) this.#columns.push(column);
      }
      this.#mayOpen = INDICATORS.has(type);
    }
    return this.#flow + this.#columns.length;
  }
}

function refuseUnsupported(type: CST.TokenType | null, lexeme: string, offset: number): void {
  const text = excerpt(lexeme);
  if (type === 'alias') {
    const message = `“${text}” is a YAML alias, and a pipeline may hold none.`;
    throw new Unsupported(
      'ALIAS',
      message,
      offset,
      `Write the value out; text that begins with * needs quotes: "${text}".`,
    );
  }
  if (type === 'anchor') {
    const message = `“${text}” is a YAML anchor, and a pipeline may hold none.`;
    throw new Unsupported('ANCHOR', message, offset, `Leave it out; text that begins with & needs quotes: "${text}".`);
  }
  if (type === 'tag') {
    const message = `“${text}” is a YAML tag, and a pipeline may hold none.`;
    throw new Unsupported('TAG', message, offset, `Leave it out; text that begins with ! needs quotes: "${text}".`);
  }
  if (type === 'directive-line') {
    const message = `“${text}” is a YAML directive, and a pipeline may hold none.`;
    throw new Unsupported('DIRECTIVE', message, offset, 'Leave the line out; pipelines are YAML 1.2.');
  }
}
