/**
 * Reads what a program writes to a terminal, as ECMA-48 and xterm have it: text, control characters, and sequences, which
 * may be split over chunks. Of sequences only those are told that this view heeds; all others are left out, as a
 * terminal that does not know them leaves them out. Nothing of it is ever markup.
 */

/** Something that a terminal would do. */
export type TerminalAction =
  | { readonly type: 'TEXT'; readonly text: string }
  | { readonly type: 'NEWLINE' }
  /** To a column of the line, from 0. */
  | { readonly type: 'COLUMN'; readonly column: number }
  /** By columns: negative to the left. */
  | { readonly type: 'MOVE'; readonly columns: number }
  | { readonly type: 'ERASE'; readonly what: 'TO_END' | 'TO_CURSOR' | 'LINE' }
  /** Select Graphic Rendition: what stands between `ESC [` and `m`. */
  | { readonly type: 'STYLE'; readonly parameters: string }
  /** OSC 8; empty where a link ends. */
  | { readonly type: 'LINK'; readonly uri: string };

/** Longer sequences are none: what comes after is text again. Characters. */
const LONGEST = 8_192;

// Control characters are what this file is about.
/* eslint-disable no-control-regex -- escape sequences are control characters */
const TEXT = /[^\u0000-\u0008\u000a-\u001f\u007f-\u009f]+/y;
const CSI = /(?:\u001b\[|\u009b)([\u0030-\u003f]*)([\u0020-\u002f]*)([\u0040-\u007e])/y;
const CSI_BEGUN = /(?:\u001b\[|\u009b)[\u0030-\u003f]*[\u0020-\u002f]*$/y;
/** OSC, DCS, SOS, PM, APC: a string of its own, to its end. A line feed ends one that was never ended. */
const STRING =
  /(?:\u001b([\]PX^_])|([\u009d\u0090\u0098\u009e\u009f]))([^\u0007\u0018\u001a\u001b\u009c\n]*)(\u0007|\u001b\\|\u009c|\u0018|\u001a|(?=[\n\u001b]))/y;
const STRING_BEGUN = /(?:\u001b[\]PX^_]|[\u009d\u0090\u0098\u009e\u009f])[^\u0007\u0018\u001a\u001b\u009c\n]*\u001b?$/y;
const SHORT = /\u001b[\u0020-\u002f]*[\u0030-\u007e]/y;
const SHORT_BEGUN = /\u001b[\u0020-\u002f]*$/y;

/** One stream of output. Holds what a chunk ends in the middle of. */
export class EscapeReader {
  #pending = '';

  /** What a terminal would do with the next piece of output. */
  *read(chunk: string): Generator<TerminalAction> {
    const all = this.#pending + chunk;
    this.#pending = '';
    for (let at = 0; at < all.length;) {
      const text = matchAt(TEXT, all, at);
      if (text !== null) {
        yield { type: 'TEXT', text: text[0] };
        at += text[0].length;
        continue;
      }
      const code = all.charCodeAt(at);
      if (code === 0x1b || code >= 0x80) {
        if (this.#isBegun(all, at)) {
          this.#pending = all.slice(at);
          return;
        }
        at += yield* sequence(all, at);
      } else {
        yield* control(code);
        at++;
      }
    }
  }

  /** Whether what begins here may go on in the next chunk. */
  #isBegun(all: string, at: number): boolean {
    if (all.length - at > LONGEST) return false;
    return [STRING_BEGUN, CSI_BEGUN, SHORT_BEGUN].some((pattern) => matchAt(pattern, all, at) !== null);
  }
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** One control character. Those that a terminal has no use for here are shown, as pictures: they may be what is looked for. */
function* control(code: number): Generator<TerminalAction> {
  if (code === 0x0a) yield { type: 'NEWLINE' };
  else if (code === 0x0d) yield { type: 'COLUMN', column: 0 };
  else if (code === 0x08) yield { type: 'MOVE', columns: -1 };
  else if (code === 0x7f) yield { type: 'TEXT', text: '\u2421' };
  // A bell is heard and not seen.
  else if (code !== 0x07) yield { type: 'TEXT', text: String.fromCharCode(0x2400 + code) };
}

/** One sequence; yields how long it is. */
function* sequence(all: string, at: number): Generator<TerminalAction, number> {
  const string = matchAt(STRING, all, at);
  if (string !== null) {
    const [whole, kind, c1, content = ''] = string;
    if (kind === ']' || c1 === '\u009d') {
      const link = /^8;[^;]*;(.*)$/s.exec(content);
      if (link !== null) yield { type: 'LINK', uri: link[1]! };
    }
    return whole.length;
  }
  const csi = matchAt(CSI, all, at);
  if (csi !== null) {
    const [whole, parameters = '', between, final = ''] = csi;
    if (between === '' && !/[<-?]/.test(parameters)) yield* csiAction(parameters, final);
    return whole.length;
  }
  // Alone, it is a character that nobody knows.
  return matchAt(SHORT, all, at)?.[0].length ?? 1;
}

function* csiAction(parameters: string, final: string): Generator<TerminalAction> {
  const first = /^\d+/.exec(parameters)?.[0];
  const count = Math.max(1, Number(first ?? 1));
  switch (final) {
    case 'm':
      return yield { type: 'STYLE', parameters };
    case 'C':
    case 'a':
      return yield { type: 'MOVE', columns: count };
    case 'D':
      return yield { type: 'MOVE', columns: -count };
    case 'G':
    case '`':
      return yield { type: 'COLUMN', column: count - 1 };
    case 'K':
      return yield { type: 'ERASE', what: first === '1' ? 'TO_CURSOR' : first === '2' ? 'LINE' : 'TO_END' };
    default:
  }
}
