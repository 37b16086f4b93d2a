import { faultText } from '@gantry/plugin-kit/exact-json';
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
    const read = 'header' in source ? headerOf(name, source.header, answer) : valueOf(name, source, answer);
    if (!read.ok) return read;
    outputs[name] = read.value;
  }
  return { ok: true, outputs };
}

type Read = { readonly ok: true; readonly value: Json } | Failed;
type PointedAt = Extract<HttpConfig['outputs'][string], { readonly jsonPointer: string }>;

function headerOf(name: string, header: string, answer: Answer): Read {
  const value = answer.header(header);
  return value === undefined
    ? failure('OUTPUT_MISSING', `The answer has no header ${header} for the output ${name}.`)
    : { ok: true, value };
}

function valueOf(name: string, { jsonPointer: pointer, as }: PointedAt, answer: Answer): Read {
  if (answer.json === undefined)
    return failure(
      'RESPONSE_NOT_JSON',
      `The answer ${answer.whyNoJson}, and the output ${name} is to be read from it.`,
    );
  const value = answer.at(pointer);
  if (value === undefined)
    return failure('OUTPUT_MISSING', `The answer has nothing at ${pointer} for the output ${name}.`);
  const isNumber = typeof value === 'number';
  const fault = answer.faultAt(pointer);
  if (fault !== null && !(as === 'text' && isNumber && fault.code === 'INEXACT_NUMBER')) {
    const remedy = isNumber
      ? `To hand it on as text, write { jsonPointer: ${JSON.stringify(pointer)}, as: text }.`
      : 'Read the parts that are needed by outputs of their own, numbers with as: text.';
    return failure(fault.code, `The answer cannot be handed on as the output ${name}: ${faultText(fault)}`, remedy);
  }
  if (as === 'value') return { ok: true, value };
  if (isNumber) return { ok: true, value: answer.writtenAt(pointer) ?? String(value) };
  return { ok: true, value: typeof value === 'string' ? value : JSON.stringify(value) };
}
