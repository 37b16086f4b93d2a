import * as z from 'zod';
import { duration } from './duration.ts';
import { callback, cancel, poll } from './job-config.ts';
import { charsetOf, isUtf8Name } from './media-type.ts';
import { areCertificates } from './pem.ts';
import { headers, method, pointer, statusPatterns } from './request-config.ts';

const tls = z
  .strictObject({
    ca: z
      .string()
      .max(65_536)
      .refine(areCertificates, 'must be one or more certificates, each as PEM')
      .optional()
      .describe('PEM: authorities to trust beside the usual ones.'),
    serverName: z
      .string()
      .regex(/^[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?$/, 'must be a host name')
      .optional()
      .describe('The name that the server’s certificate must bear. Default: the host of the URL.'),
    minVersion: z
      .enum(['TLSv1.2', 'TLSv1.3'])
      .optional()
      .describe('The oldest version that is spoken. Default: TLSv1.2.'),
    certificate: z.string().min(1).max(63).optional().describe('A client certificate, by its name on the node.'),
    insecure: z
      .boolean()
      .default(false)
      .describe('Leaves the server’s certificate unchecked. Only where the node allows it.'),
  })
  .describe('How https is spoken.');

const DAY_MS = 86_400_000;

const reconnect = z
  .strictObject({
    max: z.int().min(0).max(10).default(2).describe('How many further tries there are.'),
    delay: duration(1, DAY_MS).prefault('250ms').describe('Before the first of them; doubled for each further one.'),
    maxDelay: duration(1, DAY_MS).prefault('5s').describe('The delay grows no longer than this.'),
  })
  .describe('Further tries when the connection fails, for requests that may be sent twice.');
/** Durations in milliseconds. */
export type Reconnect = z.output<typeof reconnect>;

const answerOf = z
  .enum(['job', 'request'])
  .default('job')
  .describe('For a job: whether it is read from the answer that told its end, or from that to the request.');

const readAs = z
  .enum(['value', 'text'])
  .default('value')
  .describe('text: a number is handed on as the service wrote it, however many digits it has; other values as JSON.');

const fields = z.strictObject({
  url: z.string().min(1).max(8_192).describe('Where to: http or https. May hold expressions.'),
  method: method.default('GET').describe('The request method.'),
  headers: headers.default({}).describe('Sent as they are.'),
  query: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .default({})
    .describe('Added to the URL.'),
  body: z.string().max(1_048_576).optional().describe('Sent as it is. At most one of body, json and form.'),
  json: z.json().optional().describe('Sent as application/json.'),
  form: z.record(z.string(), z.string()).optional().describe('Sent as application/x-www-form-urlencoded.'),
  expect: statusPatterns.default('2xx').describe('The statuses that are a success.'),
  maxResponseBytes: z
    .number()
    .int()
    .min(0)
    .max(1_073_741_824)
    .default(10_485_760)
    .describe('A longer answer fails the task.'),
  tls: tls.optional(),
  timeout: duration(1, DAY_MS)
    .optional()
    .describe('For the whole call, with all of its tries. Default: the task’s own.'),
  connectTimeout: duration(1, DAY_MS).prefault('10s').describe('For the name, the connection and TLS.'),
  answerTimeout: duration(1, DAY_MS).optional().describe('From there to the first byte of the answer.'),
  reconnect: reconnect.prefault({}),
  idempotencyKey: z
    .boolean()
    .default(false)
    .describe('Whether the service heeds the Idempotency-Key header: any method may be sent again then.'),
  followRedirects: z.number().int().min(0).max(5).default(0).describe('How many redirects are followed.'),
  outputs: z
    .record(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/),
      z.union([
        z.strictObject({ jsonPointer: pointer, as: readAs, from: answerOf }),
        z.strictObject({ header: z.string().min(1), from: answerOf }),
      ]),
    )
    .default({})
    .describe('What is handed downstream, from the answer. `status` always is.'),
  poll: poll.optional(),
  callback: callback.optional(),
  cancel: cancel.optional(),
});

/** Whether a body that is more than ASCII is declared to be something else than it is. */
function namesOtherCharset({ headers: given, body }: z.output<typeof fields>): boolean {
  for (const name in given) {
    if (name.toLowerCase() !== 'content-type') continue;
    const charset = charsetOf(given[name]);
    return charset !== null && !isUtf8Name(charset) && !/^[\0-\x7f]*$/.test(body ?? '');
  }
  return false;
}

/** What a task writes under `with:`. */
export const httpConfig = fields.superRefine((config, context) => {
  const refuse = (path: string, message: string) => context.addIssue({ code: 'custom', message, path: [path] });
  const given = (names: readonly (keyof typeof config)[]) => names.filter((name) => config[name] !== undefined);
  for (const [first, second] of [given(['body', 'json', 'form']), given(['poll', 'callback'])])
    if (second !== undefined) refuse(second, `cannot be there beside ${first}: leave one of them out`);
  if (namesOtherCharset(config))
    refuse('headers', 'name another charset than the one that is sent, which is UTF-8: write charset=utf-8');
  if (config.cancel !== undefined && given(['poll', 'callback']).length === 0)
    refuse('cancel', 'is for jobs that are followed: give poll or callback as well');
});
export type HttpConfig = z.output<typeof httpConfig>;
