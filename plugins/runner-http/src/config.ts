import * as z from 'zod';

const statusPattern = z.union([
  z.number().int().min(100).max(599),
  z.string().regex(/^[1-5]xx$/, 'must be a status such as 200, or a class such as 2xx'),
]);

/**
 * How a message is framed is the client's to say: on a kept connection a wrong length would make the rest of one task's
 * body the beginning of another task's request.
 */
const FRAMING = [
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

const fields = z.strictObject({
  url: z.string().min(1).max(8_192).describe('Where to: http or https. May hold expressions.'),
  method: z
    .string()
    .regex(/^[A-Z]{1,20}$/, 'must be upper case, such as GET or POST')
    .refine((method) => method !== 'CONNECT' && method !== 'TRACE', 'must not be CONNECT or TRACE')
    .default('GET')
    .describe('The request method.'),
  headers: z.record(z.string(), z.string()).default({}).describe('Sent as they are.'),
  query: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .default({})
    .describe('Added to the URL.'),
  body: z.string().max(1_048_576).optional().describe('Sent as it is. At most one of body, json and form.'),
  json: z.json().optional().describe('Sent as application/json.'),
  form: z.record(z.string(), z.string()).optional().describe('Sent as application/x-www-form-urlencoded.'),
  expect: z
    .union([statusPattern, z.array(statusPattern).min(1)])
    .default('2xx')
    .describe('The statuses that are a success.'),
  maxResponseBytes: z
    .number()
    .int()
    .min(0)
    .max(1_073_741_824)
    .default(10_485_760)
    .describe('A longer answer fails the task.'),
  followRedirects: z.number().int().min(0).max(5).default(0).describe('How many redirects are followed.'),
  outputs: z
    .record(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/),
      z.union([
        z.strictObject({ jsonPointer: z.string().regex(/^(\/.*)?$/, 'must be empty or begin with /') }),
        z.strictObject({ header: z.string().min(1) }),
      ]),
    )
    .default({})
    .describe('What is handed downstream, from the answer. `status` always is.'),
});

/** What a task writes under `with:`. */
export const httpConfig = fields.superRefine(({ headers, body, json, form }, context) => {
  const refuse = (path: readonly string[], message: string) =>
    context.addIssue({ code: 'custom', message, path: [...path] });
  for (const name of Object.keys(headers)) {
    if (!HEADER_NAME.test(name)) refuse(['headers', name], 'is no header name');
    else if (FRAMING.includes(name.toLowerCase()))
      refuse(['headers', name], 'is set by the runner itself: leave it out');
  }
  const given = Object.entries({ body, json, form }).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (given.length > 1) refuse([given[1]!], `only one of ${given.join(' and ')} can be sent: leave the other out`);
});
export type HttpConfig = z.output<typeof httpConfig>;

/** What the node's operator writes for this runner. */
export const httpSettings = z.looseObject({
  allow: z.array(z.string()).default([]),
});
