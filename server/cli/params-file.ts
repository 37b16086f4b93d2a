import { LineCounter, parseDocument } from 'yaml';
import { faultText, inexactMessage, inexactRemedy, placeText, readJson } from '@gantry/plugin-kit/exact-json';
import { writtenScalars, type WrittenScalar } from '../config/written-scalars.ts';
import { survives } from '../domain/written-number.ts';
import { CommandFailure } from './failure.ts';
import { readTextFile } from './text-file.ts';

/** The params of a file, and which of their numbers read otherwise than they are written. */
export interface FileParams {
  readonly params: Readonly<Record<string, unknown>>;
  /** Null for JSON, where a number is a number. */
  readonly yaml: { readonly written: readonly WrittenScalar[]; readonly lines: LineCounter } | null;
}

/** Reads a file of params, YAML or JSON. Fails with USAGE and the place where a number would be changed. */
export function readParamsFile(path: string, cwd: string): FileParams {
  const text = readTextFile(path, cwd);
  const read = readJson(text);
  if (read.ok) return { params: paramsOf(read.value, path), yaml: null };
  if (read.fault.code !== 'NOT_JSON')
    throw refused(`${path}: ${faultText(read.fault)}`, read.fault.remedy ?? 'Write it otherwise.');
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const [error] = document.errors;
  if (error !== undefined) {
    throw refused(`${path} cannot be read as params: ${error.message.split('\n')[0] ?? ''}`);
  }
  const written = writtenScalars(document.contents);
  return { params: paramsOf(document.toJS(), path), yaml: { written, lines } };
}

/**
 * Refuses numbers of a YAML file that would be changed: those that no double holds, and those that would read otherwise
 * where the param is not declared to be a number.
 */
export function refuseChanged(path: string, { yaml }: FileParams, types: ReadonlyMap<string, string>): void {
  for (const { path: at, offset, written, value } of yaml?.written ?? []) {
    const { line, col } = yaml!.lines.linePos(offset);
    const where = `${path}:${line}:${col} ${placeText(at)}`;
    if (typeof value === 'number' && !survives(value, written))
      throw refused(`${where}: ${inexactMessage(written)}`, inexactRemedy(written));
    const type = types.get(String(at[0]));
    if (at.length === 1 && (type === 'number' || type === 'integer')) continue;
    const remedy = `If text is meant, write it in quotes: "${written}". Otherwise write ${value}.`;
    throw refused(`${where}: ${written} would be handed in as ${value}.`, remedy);
  }
}

function paramsOf(params: unknown, path: string): Readonly<Record<string, unknown>> {
  if (params === null || params === undefined) return {};
  if (typeof params !== 'object' || Array.isArray(params)) {
    throw refused(`${path} must hold params as \`name: value\`.`);
  }
  return params as Readonly<Record<string, unknown>>;
}

const refused = (message: string, remedy: string | null = null): CommandFailure =>
  new CommandFailure({ code: 'USAGE', message, remedy });
