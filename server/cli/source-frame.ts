import type { Output } from './output.ts';
import { oneLine, widthOf } from './terminal-text.ts';

/** A problem of a pipeline as the API tells it. */
export interface ProblemView {
  readonly code: string;
  readonly message: string;
  readonly path: readonly string[];
  readonly line: number | null;
  readonly column: number | null;
  readonly suggestion: string | null;
}

/** How much of a long line is shown around the place. */
const AROUND = 60;

/**
 * The lines that show a problem: `FILE:LINE:COLUMN message`, which editors and terminals make a link of, the source
 * line with a caret below the place, and what to write instead.
 */
export function problemLines(
  file: string,
  text: string | null,
  problem: ProblemView,
  output: Output,
): readonly string[] {
  const { line, column, suggestion } = problem;
  const place = line === null ? `${file}: ${problem.path.join('.')}` : `${file}:${line}:${column ?? 1}`;
  const lines = [
    `${output.styled('bold', place)} ${oneLine(problem.message)} ${output.styled('dim', `[${problem.code}]`)}`,
  ];
  const source = line === null ? undefined : text?.split(/\r\n|\n|\r/)[line - 1];
  if (source !== undefined && line !== null) lines.push(...frame(source, line, column ?? 1, output));
  if (suggestion !== null) lines.push(`  ${output.styled('green', oneLine(suggestion))}`);
  return lines;
}

/** `column` counts from 1 in UTF-16 units, as the API does; the caret is set by the width of what stands before it. */
function frame(source: string, line: number, column: number, output: Output): readonly string[] {
  const at = Math.min(column - 1, source.length);
  const from = at > AROUND ? at - AROUND : 0;
  // Tabs would make the caret's place a guess.
  const clean = (text: string): string => oneLine(text.replaceAll('\t', ' '));
  const before = (from > 0 ? '…' : '') + clean(source.slice(from, at));
  const rest = clean(source.slice(at, at + AROUND)) + (source.length > at + AROUND ? '…' : '');
  const number = String(line);
  return [
    `  ${output.styled('dim', `${number} |`)} ${before}${rest}`,
    `  ${output.styled('dim', `${' '.repeat(number.length)} |`)} ${' '.repeat(widthOf(before))}${output.styled('red', '^')}`,
  ];
}
