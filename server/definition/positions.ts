import { isMap, isPair, isScalar, isSeq, type Document, type LineCounter, type Pair, type Scalar } from 'yaml';
import type { Path } from './problem.ts';

/** From 1, in UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** What of a place: the key, the value, an offset in the value, which is a string, or an offset in the whole text. */
export type Place = 'KEY' | 'VALUE' | { readonly offset: number } | { readonly at: number };

/** Finds places in the text that a pipeline was read from. */
export interface Positions {
  /** Of the nearest thing that is written there: a field that is missing is where it should have been. */
  of(path: Path, place: Place): Position | null;
  /** A scalar as it is written there, with its quotes if it has any: `3.10`, `~`, `"a"`; null for anything else. */
  sourceOf(path: Path): string | null;
}

/** For a pipeline that did not come as text. */
export const nowhere: Positions = { of: () => null, sourceOf: () => null };

/** Positions in a YAML document. */
export function positionsIn(text: string, document: Document.Parsed, lines: LineCounter): Positions {
  return {
    of(path, place) {
      const found = follow(document.contents, path);
      const node = place === 'KEY' && found.isComplete ? (found.key ?? found.node) : found.node;
      let offset = startOf(node) ?? 0;
      if (typeof place === 'object' && 'at' in place) offset = place.at;
      else if (typeof place === 'object' && isScalar(node) && found.isComplete) {
        offset = offsetInScalar(text, node, place.offset);
      }
      const { line, col } = lines.linePos(offset);
      return { line: Math.max(1, line), column: Math.max(1, col) };
    },
    sourceOf(path) {
      const { node, isComplete } = follow(document.contents, path);
      if (!isComplete || !isScalar(node) || !node.range) return null;
      return text.slice(node.range[0], node.range[1]);
    },
  };
}

interface Found {
  readonly node: unknown;
  /** The key under which it stands, unless it is an item of a list. */
  readonly key: unknown;
  readonly isComplete: boolean;
}

/** Follows a path as far as it is written. */
function follow(root: unknown, path: Path): Found {
  let found: Found = { node: root, key: null, isComplete: true };
  for (const step of path) {
    const { node } = found;
    if (isSeq(node) && typeof step === 'number' && step < node.items.length) {
      found = { node: node.items[step], key: null, isComplete: true };
      continue;
    }
    const pair: Pair | undefined = isMap(node) ? node.items.find((each) => keyText(each) === String(step)) : undefined;
    if (pair === undefined) return { ...found, isComplete: false };
    found = { node: isWritten(pair.value) ? pair.value : pair.key, key: pair.key, isComplete: true };
  }
  return found;
}

/** The text of a pair's key. */
export function keyText(pair: unknown): string | null {
  if (!isPair(pair)) return null;
  return isScalar(pair.key) ? String(pair.key.value) : null;
}

function isWritten(node: unknown): boolean {
  // `key:` with nothing behind it has a scalar of no length.
  return node !== null && node !== undefined && !(isScalar(node) && node.range?.[0] === node.range?.[1]);
}

function startOf(node: unknown): number | undefined {
  return (node as { readonly range?: readonly [number, number, number] | null } | null)?.range?.[0];
}

/**
 * Where an expression of a string stands in the text. The string may be quoted, folded or indented, but the n-th `${{`
 * of the string is the n-th of its text, and the rest of the expression follows on the same line.
 */
function offsetInScalar(text: string, scalar: Scalar, offset: number): number {
  const [start, end] = scalar.range ?? [0, 0];
  const value = String(scalar.value);
  let inValue = value.indexOf('${{');
  let inText = text.indexOf('${{', start);
  for (;;) {
    const next = value.indexOf('${{', inValue + 3);
    if (next < 0 || next > offset) break;
    inValue = next;
    inText = text.indexOf('${{', inText + 3);
  }
  if (inValue < 0 || inText < 0 || inText >= end || inValue > offset) return start;
  const onSameLine = !value.slice(inValue, offset).includes('\n');
  return onSameLine ? Math.min(inText + offset - inValue, end) : inText;
}
