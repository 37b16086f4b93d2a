import { faultText, readJson } from '@gantry/plugin-kit/exact-json';
import type { Client } from './client.ts';
import { CommandFailure } from './failure.ts';

interface PipelineParams {
  readonly pipeline: {
    readonly version: { readonly params: readonly { readonly name: string; readonly type: string }[] } | null;
  } | null;
}

/** The types of the params that a pipeline declares, by name; none for a pipeline that is not there. */
export async function paramTypes(client: Client, pipeline: string): Promise<ReadonlyMap<string, string>> {
  const { pipeline: found } = await client.ask<PipelineParams>('pipeline-params', { name: pipeline });
  return new Map((found?.version?.params ?? []).map(({ name, type }) => [name, type]));
}

/**
 * Reads `name=value` by the types that the pipeline declares: text stays as it is, everything else is JSON. A name that
 * the pipeline does not know is handed on as text: the server says what was meant.
 */
export function readParams(
  given: readonly string[],
  types: ReadonlyMap<string, string>,
): Readonly<Record<string, unknown>> {
  const params: Record<string, unknown> = {};
  for (const entry of given) {
    const equals = entry.indexOf('=');
    if (equals <= 0) {
      throw new CommandFailure({ code: 'USAGE', message: `--param takes name=value, not “${entry}”.` });
    }
    const name = entry.slice(0, equals);
    params[name] = readValue(name, entry.slice(equals + 1), types.get(name));
  }
  return params;
}

function readValue(name: string, text: string, type: string | undefined): unknown {
  if (type === undefined || type === 'string') return text;
  const read = readJson(text);
  if (read.ok) return read.value;
  const { code, remedy } = read.fault;
  if (code !== 'NOT_JSON') {
    throw new CommandFailure({
      code: 'USAGE',
      message: `The param “${name}” cannot be taken: ${faultText(read.fault)}`,
      remedy,
    });
  }
  const shape = type === 'json' ? 'JSON' : type === 'boolean' ? 'true or false' : 'a number';
  throw new CommandFailure({
    code: 'USAGE',
    message: `The param “${name}” is ${shape}, and “${text}” is not.`,
    remedy: type === 'json' ? `Put text into quotes: --param '${name}="…"'.` : null,
  });
}
