import { inexactMessage } from '@gantry/plugin-kit/exact-json';
import type { Json } from '@gantry/plugin-kit/vocabulary';
import { excerpt } from '../domain/excerpt.ts';
import { survives } from '../domain/written-number.ts';
import type { Path, ProblemList } from './problem.ts';

/** A number or boolean whose JSON is not what the author wrote: `3.10`, `010`, `0x1F`, `True`. */
export interface Rewritten {
  readonly path: Path;
  readonly written: string;
  readonly value: number | boolean;
}

/** What a scalar comes to: its value, what its author wrote where that is another text, or a problem in the list. */
export function scalarToJson(
  value: unknown,
  source: string | undefined,
  path: Path,
  { problems, rewritten }: { readonly problems: ProblemList; readonly rewritten: Rewritten[] },
): Json {
  if (typeof value === 'string') {
    if (value.includes('\0') || !value.isWellFormed()) {
      problems.add({ code: 'BAD_CHARACTER', message: 'Text may hold neither NUL nor half a surrogate pair.', path });
    }
    return value;
  }
  if (typeof value !== 'number' && typeof value !== 'boolean') return null;
  const written = source ?? String(value);
  if (typeof value === 'number' && !survives(value, written)) {
    const message = Number.isFinite(value)
      ? inexactMessage(written)
      : `${excerpt(written)} is not a number that JSON knows.`;
    const suggestion = `If text is meant, write it in quotes: "${excerpt(written)}".`;
    problems.add({ code: 'BAD_NUMBER', message, path, suggestion });
    return null;
  }
  const json = value === 0 ? 0 : value;
  if (written !== String(json)) rewritten.push({ path, written, value: json });
  return json;
}
