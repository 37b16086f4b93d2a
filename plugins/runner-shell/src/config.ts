import * as z from 'zod';
import type { OutputFile } from './output-files.ts';

/** Marked so that no `${{ … }}` may be spliced in: params and outputs arrive as environment variables. */
const literal = (schema: z.ZodString, reads: 'shell' | 'program' | 'nothing') =>
  schema.meta({ 'x-literal': true, 'x-reads': reads });

/** A name in a folder that leads to no other. */
/** What a file may be: its text, or that and whether it may be run, which else its first line says. */
const fileContent = z.union([
  z.string(),
  z.strictObject({
    text: z.string(),
    executable: z.boolean().describe('Whether it may be run as a program.'),
  }),
]);
/** A file, with its text and its mode. */
export interface GivenFile {
  readonly text: string;
  readonly isExecutable: boolean;
}
const givenFileOf = (content: z.output<typeof fileContent>): GivenFile =>
  typeof content === 'string'
    ? { text: content, isExecutable: content.startsWith('#!') }
    : { text: content.text, isExecutable: content.executable };

const FILE_NAME = z.string().regex(/^\w[\w.-]{0,127}$/, 'is no plain name of a file');

const outputFileOf = (file: string | OutputFile): OutputFile =>
  typeof file === 'string' ? { file, format: file.endsWith('.json') ? 'json' : 'text' } : file;

/** What a task writes under `with:`. */
export const shellConfig = z
  .strictObject({
    command: literal(z.string().min(1).max(131_072), 'shell')
      .optional()
      .describe('Run by `shell`, or by what its first line (#!) names.'),
    script: literal(z.string().min(1).max(1_048_576), 'program')
      .optional()
      .describe('Written to a file and run by `interpreter`.'),
    argv: z
      .array(literal(z.string(), 'nothing'))
      .min(1)
      .max(10_000)
      .optional()
      .describe('Run as it is, without any shell.'),
    shell: z
      .string()
      .min(1)
      .optional()
      .describe('What runs `command`, with `-c`. Default: what its first line (#!) names, else /bin/sh.'),
    interpreter: z
      .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
      .optional()
      .describe(
        'What runs `script`: its path is added as the last argument. Default: what its first line (#!) names, else /bin/sh.',
      ),
    stdin: z.string().max(1_048_576).optional().describe('Handed to the command; nothing when absent.'),
    workdir: z
      .string()
      .min(1)
      .max(4_096)
      .optional()
      .describe('Where it starts: absolute, or in the attempt’s own folder, which is the default.'),
    user: z
      .string()
      .min(1)
      .max(64)
      .optional()
      .describe(
        'As whom it runs: a user that the node’s settings allow, when the agent is root. As the agent without it.',
      ),
    umask: z
      .string()
      .regex(/^0?0[0-7]{2}$/, 'is to be three octal digits, the first of them 0')
      .optional()
      .describe('What others may not do with files that it makes, for example "027".'),
    files: z
      .record(FILE_NAME, fileContent)
      .transform((files) => Object.fromEntries(Object.entries(files).map(([name, file]) => [name, givenFileOf(file)])))
      .refine(
        (files) => Object.values(files).reduce((sum, { text }) => sum + Buffer.byteLength(text), 0) <= 1_048_576,
        { message: 'may hold 1048576 bytes together' },
      )
      .optional()
      .describe(
        'Written into the attempt’s own folder before it starts: name to text, or to { text, executable }. One that begins with #! may be run.',
      ),
    outputFiles: z
      .record(
        z.string().regex(/^[A-Za-z_][A-Za-z0-9_-]*$/, 'is no name of an output'),
        z.union([FILE_NAME, z.strictObject({ file: FILE_NAME, format: z.enum(['text', 'json']) })]),
      )
      .transform((files) => Object.fromEntries(Object.entries(files).map(([name, file]) => [name, outputFileOf(file)])))
      .optional()
      .describe(
        'Outputs whose values are what it wrote to files in the attempt’s own folder: JSON when the name ends in .json, text otherwise, unless `format` says which.',
      ),
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
