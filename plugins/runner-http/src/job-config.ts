import * as z from 'zod';
import { duration } from './duration.ts';
import { isTemplate } from './job-url.ts';
import { headers, method, pointer, statusPatterns } from './request-config.ts';

const HOUR_MS = 3_600_000;

/** A URL of the job's: written out, or read from the answer to the request. */
const url = z.union([
  z
    .string()
    .min(1)
    .max(8_192)
    .refine(isTemplate, 'may hold {/pointer} only behind the host')
    .describe('May hold values of the answer: `https://api.example.com/jobs/{/id}`.'),
  z.strictObject({ jsonPointer: pointer }).describe('The URL stands in the answer’s JSON.'),
  z.strictObject({ header: z.string().min(1) }).describe('It stands in a header, such as Location.'),
]);

const condition = z
  .strictObject({
    status: statusPatterns.optional().describe('The answer has this status.'),
    jsonPointer: pointer.optional().describe('What is looked at in the answer’s JSON.'),
    equals: z.json().optional().describe('It is this value.'),
    in: z.array(z.json()).min(1).max(64).optional().describe('It is one of these.'),
    exists: z.boolean().optional().describe('It is there, or is not.'),
  })
  .superRefine((given, context) => {
    const refuse = (message: string) => context.addIssue({ code: 'custom', message, path: [] });
    const tests = (['equals', 'in', 'exists'] as const).filter((name) => given[name] !== undefined);
    if (given.jsonPointer === undefined) {
      if (tests.length > 0) refuse(`${tests[0]} needs a jsonPointer`);
      else if (given.status === undefined) refuse('must say a status, or a jsonPointer with equals, in or exists');
    } else if (tests.length !== 1) {
      refuse('a jsonPointer needs exactly one of equals, in and exists');
    }
  });
export type Condition = z.output<typeof condition>;

/** All that one condition says must hold; of several conditions, one. */
const conditions = z.union([condition, z.array(condition).min(1).max(16)]);

const progress = z.union([
  pointer.transform((jsonPointer) => ({ jsonPointer, of: undefined, message: undefined })),
  z.strictObject({
    jsonPointer: pointer.describe('A number in the answer.'),
    of: z
      .union([z.number().positive(), z.strictObject({ jsonPointer: pointer })])
      .optional()
      .describe('How many there are in all. Without it, the number is a fraction from 0 to 1.'),
    message: pointer.optional().describe('What is shown with it.'),
  }),
]);
export type Progress = z.output<typeof progress>;

export const poll = z
  .strictObject({
    url,
    method: method.default('GET'),
    headers: headers.default({}).describe('Beside the task’s own, which go along to its own origin only.'),
    expect: statusPatterns.default('2xx').describe('Any other 4xx fails the task; 408, 429 and 5xx are asked again.'),
    interval: duration(50, HOUR_MS).prefault('2s').describe('Before the first poll.'),
    factor: z.number().min(1).max(10).default(1.5).describe('Each interval is so much longer than the one before.'),
    maxInterval: duration(50, HOUR_MS).prefault('30s').describe('The interval grows no longer than this.'),
    until: conditions.describe('The job has ended well.'),
    failWhen: conditions.optional().describe('The job has failed. Looked at first.'),
    progress: progress.optional().describe('How far the job is: a number from 0 to 1, or `of` a whole.'),
    maxFailures: z.int().min(0).max(1_000).default(10).describe('So many polls in a row may fail.'),
  })
  .describe('The request only begins a job: its end is asked for.');
export type PollConfig = z.output<typeof poll>;

export const cancel = z
  .strictObject({
    url,
    method: method.default('DELETE'),
    headers: headers.default({}),
    json: z.json().optional(),
    expect: statusPatterns.default(['2xx', 404, 410]),
  })
  .describe('Called when the attempt ends before its job: it was stopped, or the job cannot be followed.');
export type CancelConfig = z.output<typeof cancel>;

export const callback = z
  .strictObject({
    timeout: duration(1_000, 14 * 24 * HOUR_MS)
      .prefault('1h')
      .describe('Who has not called by then is not waited for.'),
    failWhen: conditions.optional().describe('The job has failed. It has ended well when this does not hold.'),
  })
  .describe('The request only begins a job: the job calls back when it has ended.');
export type CallbackConfig = z.output<typeof callback>;
