import type { Client } from './client.ts';
import { CommandFailure } from './failure.ts';

interface PipelineParams {
  readonly pipeline: {
    readonly version: { readonly params: readonly { readonly name: string; readonly type: string }[] } | null;
  } | null;
}

/**
 * Reads `name=value` by the types that the pipeline declares: text stays as it is, everything else is JSON. A name that
 * the pipeline does not know is handed on as text: the server says what was meant.
 */
export async function readParams(
  client: Client,
  pipeline: string,
  given: readonly string[],
): Promise<Readonly<Record<string, unknown>>> {
  if (given.length === 0) return {};
  const { pipeline: found } = await client.ask<PipelineParams>('pipeline-params', { name: pipeline });
  const types = new Map((found?.version?.params ?? []).map(({ name, type }) => [name, type]));
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
  try {
    return JSON.parse(text) as unknown;
  } catch {
    const shape = type === 'json' ? 'JSON' : type === 'boolean' ? 'true or false' : 'a number';
    throw new CommandFailure({
      code: 'USAGE',
      message: `The param “${name}” is ${shape}, and “${text}” is not.`,
      remedy: type === 'json' ? `Put text into quotes: --param '${name}="…"'.` : null,
    });
  }
}
