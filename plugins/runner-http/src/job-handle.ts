import type { Json } from '@gantry/plugin-kit/runner';
import * as z from 'zod';

const outputs = z.record(z.string(), z.json() as z.ZodType<Json>);
const outcome = z.looseObject({ ok: z.boolean() }) as unknown as z.ZodType<Json>;
/** Until when a callback is waited for. Seconds since 1970; null when the job is polled. */
const until = z.number().nullable();

/** What an agent needs to follow a job that an agent before it has begun. No header and no token is in it. */
export const jobHandle = z.discriminatedUnion('phase', [
  z.strictObject({ phase: z.literal('SUBMITTING'), until }),
  z.strictObject({
    phase: z.literal('FOLLOWING'),
    /** Null when the job calls back. */
    poll: z.string().nullable(),
    cancel: z.string().nullable(),
    outputs,
    until,
  }),
  /** The job has called back. Its outputs of the beginning are null when the call overtook the answer to the request. */
  z.strictObject({ phase: z.literal('CALLED'), /** An Outcome. */ outcome, outputs: outputs.nullable() }),
]);
export type JobHandle = z.output<typeof jobHandle>;
/** The job is there, and is waited for. */
export type Following = Extract<JobHandle, { phase: 'FOLLOWING' }>;
