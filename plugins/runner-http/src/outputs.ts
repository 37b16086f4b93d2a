import type { Json } from '@gantry/plugin-kit/runner';
import type { Answer } from './answer.ts';
import type { HttpConfig } from './config.ts';
import { failure, type Failed } from './failure.ts';

export type Outputs = Readonly<Record<string, Json>>;

/** Which answer is meant: that to the request, or for a job that which told its end. Otherwise there is only one. */
export type From = 'request' | 'job';

/** Whether any output is read from the body of the answer. */
export function readsBody({ outputs }: HttpConfig): boolean {
  for (const name in outputs) if ('jsonPointer' in outputs[name]!) return true;
  return false;
}

/**
 * What is handed downstream from an answer: its status, and what the task names.
 *
 * @param from Only what is to be read from that answer; null for all.
 */
export function outputsOf(
  { outputs: sources }: HttpConfig,
  answer: Answer,
  from: From | null = null,
): { readonly ok: true; readonly outputs: Outputs } | Failed {
  const outputs: Record<string, Json> = { status: answer.status };
  for (const name in sources) {
    const source = sources[name]!;
    if (from !== null && source.from !== from) continue;
    if ('header' in source) {
      const value = answer.headers[source.header.toLowerCase()];
      if (value === undefined)
        return failure('OUTPUT_MISSING', `The answer has no header ${source.header} for the output ${name}.`);
      outputs[name] = value;
      continue;
    }
    if (answer.json === undefined)
      return failure('RESPONSE_NOT_JSON', `The answer is no JSON, and the output ${name} is to be read from it.`);
    const value = answer.at(source.jsonPointer);
    if (value === undefined)
      return failure('OUTPUT_MISSING', `The answer has nothing at ${source.jsonPointer} for the output ${name}.`);
    outputs[name] = value;
  }
  return { ok: true, outputs };
}
