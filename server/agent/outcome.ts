import type { JsonObject, Usage } from '@gantry/plugin-kit/vocabulary';
import * as z from 'zod';
import type { Failure } from '../domain/failure.ts';
import { copyJson } from '../domain/json.ts';
import type { SecretMask } from './secret-mask.ts';
import { pluginFault, type End } from './attempt-end.ts';

/** The most that the outputs of one attempt may take as JSON. Bytes. */
export const MAX_OUTPUT_BYTES = 1024 * 1024;
const OUTPUT_LIMITS = { depth: 64, values: MAX_OUTPUT_BYTES, characters: MAX_OUTPUT_BYTES };
/** A failure's texts end up in rows and lists: what is longer is cut. Characters. */
const MAX_MESSAGE = 4_096;
const MAX_WORD = 100;

/** A failure as a runner says it. Secrets are hidden before a text is cut: half of one would not be recognised. */
const makeFailedSchema = (mask: SecretMask | null) => {
  const text = (characters: number) =>
    z.string().transform((value) => shortened(mask?.text(value) ?? value, characters));
  return z.object({
    ok: z.literal(false),
    kind: z.enum(['APPLICATION', 'OOM', 'INFRASTRUCTURE', 'REJECTED', 'UNKNOWN']),
    reason: z.object({ code: text(MAX_WORD), message: text(MAX_MESSAGE), remedy: text(MAX_MESSAGE).optional() }),
    exitCode: z.number().int().optional(),
    signal: text(MAX_WORD).optional(),
  });
};
/** Made once: most attempts have no secrets. */
const plainSchema = makeFailedSchema(null);
const failedSchema = (mask: SecretMask | null) => (mask === null ? plainSchema : makeFailedSchema(mask));

/** What a runner said, checked: a plugin may return anything at all, and nothing that it returns may throw here. */
export function endOf(runner: string, outcome: unknown, mask: SecretMask | null): End {
  try {
    const end = readEnd(runner, outcome, mask);
    const usage = usageOf((outcome as { usage?: unknown } | null)?.usage);
    return usage === null ? end : { ...end, usage };
  } catch (error) {
    return pluginFault(
      runner,
      'OUTCOME_MALFORMED',
      `returned an outcome that cannot be read: ${messageOf(error, mask)}`,
    );
  }
}

/** May throw: a plugin may return what throws when it is looked at. */
function readEnd(runner: string, outcome: unknown, mask: SecretMask | null): End {
  if ((outcome as { ok?: unknown } | null)?.ok === true)
    return succeeded(runner, (outcome as { outputs?: unknown }).outputs, mask);
  const parsed = failedSchema(mask).safeParse(outcome);
  if (!parsed.success) return pluginFault(runner, 'OUTCOME_MALFORMED', 'returned something that is no outcome');
  const { kind, reason, exitCode, signal } = parsed.data;
  const failure: Failure = {
    kind: kind === 'REJECTED' ? 'INFRASTRUCTURE' : kind,
    reason: {
      code: reason.code,
      message: reason.message,
      ...(reason.remedy === undefined ? {} : { remedy: reason.remedy }),
    },
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(signal === undefined ? {} : { signal }),
  };
  return { state: kind === 'REJECTED' ? 'REJECTED' : 'FAILED', failure };
}

/** What was measured; null for nothing. A measurement that makes no sense is left out: no work fails for it. */
function usageOf(value: unknown): Usage | null {
  if (typeof value !== 'object' || value === null) return null;
  const { peakMemoryBytes, cpuMs } = value as Record<string, unknown>;
  const usage = {
    ...(isAmount(peakMemoryBytes) ? { peakMemoryBytes: Math.round(peakMemoryBytes) } : {}),
    ...(isAmount(cpuMs) ? { cpuMs: Math.round(cpuMs) } : {}),
  };
  return isEmpty(usage) ? null : usage;
}

const isAmount = (value: unknown): value is number =>
  typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER;

function succeeded(runner: string, outputs: unknown, mask: SecretMask | null): End {
  if (typeof outputs !== 'object' || outputs === null || Array.isArray(outputs))
    return pluginFault(runner, 'OUTCOME_MALFORMED', 'returned outputs that are no object');
  if (isEmpty(outputs)) return { state: 'SUCCEEDED' };
  // A copy: what crosses no wire on a local node must not change behind our back either.
  const copied = copyJson(outputs, OUTPUT_LIMITS);
  if (!copied.ok) {
    const { code, message, path } = copied.fault;
    if (code === 'TOO_LARGE') return tooLarge();
    return refused('OUTPUTS_NOT_JSON', `Its output ${path.join('.')} cannot be kept. ${message}`);
  }
  if (Buffer.byteLength(JSON.stringify(copied.value)) > MAX_OUTPUT_BYTES) return tooLarge();
  return { state: 'SUCCEEDED', outputs: (mask?.json(copied.value) ?? copied.value) as JsonObject };
}

function isEmpty(object: object): boolean {
  for (const _ in object) return false;
  return true;
}

const tooLarge = (): End =>
  refused(
    'OUTPUTS_TOO_LARGE',
    `Its outputs take more than ${MAX_OUTPUT_BYTES} bytes as JSON.`,
    'Write large results to a file or a store, and hand on where they are.',
  );

const refused = (code: string, message: string, remedy?: string): End => ({
  state: 'FAILED',
  failure: { kind: 'APPLICATION', reason: remedy === undefined ? { code, message } : { code, message, remedy } },
});

/** What was thrown, in words. Anything may have been thrown. */
export function messageOf(thrown: unknown, mask: SecretMask | null = null): string {
  try {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return shortened(mask?.text(message) ?? message, MAX_MESSAGE);
  } catch {
    return 'something that cannot be put into words';
  }
}

/** Cut to a length, without the characters that no database takes. */
function shortened(value: string, characters: number): string {
  const clean = value.replaceAll('\0', '\uFFFD').toWellFormed();
  return clean.length > characters ? `${clean.slice(0, characters).toWellFormed()}…` : clean;
}
