import {
  Composer,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Document,
  type ParsedNode,
  type YAMLParseError,
} from 'yaml';
import type { Json } from '@gantry/plugin-kit/vocabulary';
import { excerpt } from '../domain/excerpt.ts';
import { MAX_DEPTH, MAX_PROBLEMS, MAX_TEXT_BYTES } from './limits.ts';
import { keyText, positionsIn, type Positions } from './positions.ts';
import { ProblemList, type Finding, type Path, type PipelineProblem } from './problem.ts';
import { scalarToJson, type Rewritten } from './yaml-scalar.ts';
import { tokensOf, Unsupported } from './yaml-tokens.ts';

/*
 * Text to plain JSON, in three steps that each protect the next: the size; then token by token what is not part of the
 * format (tags, anchors, aliases, directives, control characters) and nesting that would exhaust the stack of the parser,
 * which is recursive; then the parser, and exact checks on what it made.
 */

/** JSON with the positions of its parts. `findings` holds what does not keep it from being read further. */
export type ReadYaml =
  | {
      readonly ok: true;
      readonly value: Json;
      readonly positions: Positions;
      readonly findings: readonly Finding[];
      /** Numbers and booleans of which other text was written. */
      readonly rewritten: readonly Rewritten[];
    }
  | { readonly ok: false; readonly problems: readonly PipelineProblem[] };

/** Reads one YAML 1.2 document of plain data. Every mistake is an answer; nothing is thrown. */
export function readYaml(source: string): ReadYaml {
  const size = utf8Bytes(source);
  if (size > MAX_TEXT_BYTES) return refusedAt('TOO_LARGE', 'A pipeline may have at most 1 MiB of text.', 1, 1, null);
  // Without the mark, columns are what an editor shows.
  const text = source.startsWith('\uFEFF') ? source.slice(1) : source;
  const character = badCharacter(text);
  if (character !== null) return character;

  const lines = new LineCounter();
  lines.addNewLine(0);
  const documents: Document.Parsed[] = [];
  const composer = new Composer({ uniqueKeys: false, stringKeys: true, lineCounter: lines, logLevel: 'silent' });
  limitErrors(composer);
  try {
    for (const document of composer.compose(tokensOf(text, lines), true, text.length)) {
      documents.push(document as Document.Parsed);
      if (documents.length > 1) break;
    }
  } catch (error) {
    if (error instanceof TooManyErrors)
      return { ok: false, problems: syntaxProblems(composer.streamInfo().errors, lines) };
    if (!(error instanceof Unsupported)) throw error;
    const { line, col } = lines.linePos(error.offset);
    return refusedAt(error.code, error.message, line, col, error.suggestion);
  }
  const [document, second] = documents;
  if (second !== undefined) {
    const { line, col } = lines.linePos(second.range[0]);
    const remedy = 'Put each pipeline into a file of its own.';
    return refusedAt('MULTIPLE_DOCUMENTS', 'Here a second document begins.', line, col, remedy);
  }
  if (document === undefined) return refusedAt('EMPTY', 'The text is empty.', 1, 1, null);
  if (document.errors.length > 0) return { ok: false, problems: syntaxProblems(document.errors, lines) };

  const positions = positionsIn(text, document, lines);
  const problems = new ProblemList(positions);
  const findings: Finding[] = [];
  const rewritten: Rewritten[] = [];
  const value = toJson(document.contents, [], { problems, findings, rewritten });
  if (!problems.isEmpty) return { ok: false, problems: problems.sorted() };
  return { ok: true, value, positions, findings, rewritten };
}

/** Bytes of the text in UTF-8; any number above the limit for a text that is longer anyway. */
function utf8Bytes(text: string): number {
  if (text.length > MAX_TEXT_BYTES) return text.length;
  let bytes = text.length;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    // Each half of a surrogate pair stands for two of its four bytes.
    if (unit > 0x7f) bytes += unit > 0x7ff && (unit & 0xf800) !== 0xd800 ? 2 : 1;
  }
  return bytes;
}

/** Control characters and halves of surrogate pairs. */
const BAD_CHARACTER = /(?![\t\n\r])\p{Cc}|\p{Cs}/u;

function badCharacter(text: string): ReadYaml | null {
  const at = text.search(BAD_CHARACTER);
  if (at < 0) return null;
  const before = text.slice(0, at);
  const name = `U+${text.charCodeAt(at).toString(16).toUpperCase().padStart(4, '0')}`;
  const line = before.split('\n').length;
  const message = `The character ${name} may not stand in a pipeline.`;
  const remedy = 'Remove it, or write it as an escape in a string with double quotes.';
  return refusedAt('BAD_CHARACTER', message, line, at - before.lastIndexOf('\n'), remedy);
}

/** Ends the parser's work after so many mistakes: each costs it more than a thousand characters do. */
function limitErrors(composer: Composer): void {
  const report: unknown = Reflect.get(composer, 'onError');
  if (typeof report !== 'function') return;
  let count = 0;
  Reflect.set(composer, 'onError', (...mistake: readonly unknown[]): void => {
    if (++count > MAX_PROBLEMS) throw new TooManyErrors();
    Reflect.apply(report, composer, mistake);
  });
}

/** Leaves the parser; never leaves this file. */
class TooManyErrors extends Error {}

const remedies: Partial<Record<YAMLParseError['code'], string>> = {
  TAB_AS_INDENT: 'Indent with spaces.',
  BAD_INDENT: 'Indent the items of one list or map alike, with spaces, and close every bracket.',
  NON_STRING_KEY: 'A key is plain text.',
  BLOCK_AS_IMPLICIT_KEY: 'Put text that holds “: ” in quotes.',
  MULTILINE_IMPLICIT_KEY: 'Is a “:” missing behind the key?',
  BAD_SCALAR_START: 'Put the text in quotes.',
  MISSING_CHAR: 'Is a quote or a bracket left open?',
};

function syntaxProblems(errors: readonly YAMLParseError[], lines: LineCounter): readonly PipelineProblem[] {
  return errors.slice(0, MAX_PROBLEMS).map((error) => {
    const { line, col } = lines.linePos(error.pos[0]);
    const code = error.code === 'NON_STRING_KEY' ? 'BAD_KEY' : 'BAD_YAML';
    const message =
      error.code === 'NON_STRING_KEY' ? 'A key must be text.' : `This is not YAML: ${sentence(error.message)}`;
    return { code, message, path: [], line, column: Math.max(1, col), suggestion: remedies[error.code] ?? null };
  });
}

function sentence(text: string): string {
  const short = excerpt(text, 200);
  return /[.…]$/.test(short) ? short : `${short}.`;
}

interface Reading {
  /** Keeps the text from being read further. */
  readonly problems: ProblemList;
  readonly findings: Finding[];
  readonly rewritten: Rewritten[];
}

/** Exact checks while the parser's nodes become JSON. The first of two equal keys is kept. */
function toJson(node: ParsedNode | null, path: Path, reading: Reading): Json {
  if (node === null || reading.problems.isFull) return null;
  if (isScalar(node)) return scalarToJson(node.value, node.source, path, reading);
  if (path.length >= MAX_DEPTH) {
    const message = `Lists and maps may lie at most ${MAX_DEPTH} levels deep.`;
    reading.problems.add({ code: 'TOO_DEEP', message, path });
    return null;
  }
  if (isSeq(node)) return node.items.map((item, at) => toJson(item as ParsedNode, [...path, at], reading));
  if (!isMap(node)) return null;
  const object: Record<string, Json> = {};
  for (const pair of node.items) {
    const key = keyText(pair);
    if (key === null) continue;
    const inner = [...path, key];
    if (key === '__proto__') {
      reading.problems.add({
        code: 'UNSAFE_KEY',
        message: 'The key “__proto__” is not allowed.',
        path: inner,
        place: 'KEY',
      });
    } else if (Object.hasOwn(object, key)) {
      if (reading.findings.length >= MAX_PROBLEMS) continue;
      const start = (pair.key as { readonly range?: readonly number[] | null }).range?.[0] ?? 0;
      reading.findings.push({
        code: 'DUPLICATE_KEY',
        message: `“${excerpt(key)}” is written twice in the same place.`,
        path: inner,
        place: { at: start },
        suggestion: 'Leave one of them out.',
      });
    } else object[key] = toJson(pair.value as ParsedNode | null, inner, reading);
  }
  return object;
}

function refusedAt(code: string, message: string, line: number, column: number, suggestion: string | null): ReadYaml {
  return { ok: false, problems: [{ code, message, path: [], line, column: Math.max(1, column), suggestion }] };
}
