import * as z from 'zod';

export const statusPattern = z.union([
  z.number().int().min(100).max(599),
  z.string().regex(/^[1-5]xx$/, 'must be a status such as 200, or a class such as 2xx'),
]);
/** A status such as 200, or a class such as `2xx`. */
export type StatusPattern = z.output<typeof statusPattern>;

/** One status pattern, or several of which any is right. */
export const statusPatterns = z.union([statusPattern, z.array(statusPattern).min(1)]);

/** RFC 6901. */
export const pointer = z
  .string()
  .max(1_024)
  .regex(/^(\/.*)?$/, 'must be empty or begin with /');

/**
 * How a message is framed is the client's to say: on a kept connection a wrong length would make the rest of one task's
 * body the beginning of another task's request.
 */
const FRAMING = [
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Headers that a task may send. */
export const headers = z.record(z.string(), z.string()).superRefine((given, context) => {
  const refuse = (name: string, message: string) => context.addIssue({ code: 'custom', message, path: [name] });
  for (const name of Object.keys(given)) {
    if (!HEADER_NAME.test(name)) refuse(name, 'is no header name');
    else if (FRAMING.includes(name.toLowerCase())) refuse(name, 'is set by the runner itself: leave it out');
  }
});

export const method = z
  .string()
  .regex(/^[A-Z]{1,20}$/, 'must be upper case, such as GET or POST')
  .refine((name) => name !== 'CONNECT' && name !== 'TRACE', 'must not be CONNECT or TRACE');
