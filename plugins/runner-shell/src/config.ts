import * as z from 'zod';

/** Marked so that no `${{ … }}` may be spliced in: params and outputs arrive as environment variables. */
const literal = (schema: z.ZodString) => schema.meta({ 'x-literal': true });

/** What a task writes under `with:`. */
export const shellConfig = z
  .strictObject({
    command: literal(z.string().min(1).max(131_072)).optional().describe('Run by `shell`.'),
    script: literal(z.string().min(1).max(1_048_576))
      .optional()
      .describe('Written to a file and run by `interpreter`.'),
    argv: z.array(literal(z.string())).min(1).max(10_000).optional().describe('Run as it is, without any shell.'),
    shell: z.string().min(1).default('/bin/sh').describe('What runs `command`, with `-c`.'),
    interpreter: z
      .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
      .default('/bin/sh')
      .describe('What runs `script`: its path is added as the last argument.'),
    stdin: z.string().max(1_048_576).optional().describe('Handed to the command; nothing when absent.'),
    workdir: z
      .string()
      .min(1)
      .max(4_096)
      .optional()
      .describe('Where it starts: absolute, or in the attempt’s own folder, which is the default.'),
    pids: z.int().min(1).max(4_194_304).optional().describe('So many processes and threads at one time, at the most.'),
    maxOutputBytes: z
      .int()
      .min(1)
      .optional()
      .describe('What it may print on both streams together: beyond, it is ended and fails. Bytes.'),
  })
  .refine(({ command, script, argv }) => [command, script, argv].filter((form) => form !== undefined).length === 1, {
    message: 'needs exactly one of command, script and argv',
  });
export type ShellConfig = z.output<typeof shellConfig>;
