import * as z from 'zod';
import { parseImageReference } from './image-reference.ts';
import { isStopSignal } from './stop-signal.ts';

const path = z.string().min(1).max(4_096).startsWith('/', 'must be an absolute path');

/** What a task writes under `with:`. There is no word for privileges: what is not here cannot be had. */
export const dockerConfig = z
  .strictObject({
    image: z
      .string()
      .min(1)
      .max(512)
      .superRefine((text, context) => {
        const reference = parseImageReference(text);
        if (typeof reference === 'string') context.addIssue({ code: 'custom', message: reference });
      })
      .describe('The image, with its tag or digest.'),
    pull: z
      .enum(['always', 'missing', 'never'])
      .default('missing')
      .describe('When the image is fetched: each time, when the node lacks it, or not at all.'),
    credentials: z
      .strictObject({
        username: z.string().min(1).max(256).describe('As whom the registry is asked.'),
        password: z
          .string()
          .min(1)
          .max(65_536)
          .meta({ 'x-secret': true })
          .describe('A secret: `${{ secrets.NAME }}`. Or a token, in its place.'),
      })
      .optional()
      .describe('For the image’s registry. Default: what the node’s settings say of it.'),
    command: z
      .union([
        z.string().min(1).meta({ 'x-reads': 'shell' }),
        z.array(z.string().meta({ 'x-reads': 'nothing' })).min(1),
      ])
      .meta({ 'x-literal': true })
      .optional()
      .describe(
        'A line for /bin/sh -c, in place of the image’s entrypoint; or words, which follow the entrypoint. Default: what the image says.',
      ),
    entrypoint: z
      .array(z.string())
      .meta({ 'x-literal': true, 'x-reads': 'nothing' })
      .optional()
      .describe('Instead of the image’s entrypoint, before the command; none when empty.'),
    workdir: path.optional().describe('The working folder in the container. Default: the image’s.'),
    user: z.string().min(1).max(64).optional().describe('`user`, `uid` or `uid:gid` in the container.'),
    network: z
      .string()
      .min(1)
      .max(64)
      .optional()
      .describe('`none`, or a network that the node allows. Default: the first that the node allows.'),
    mounts: z
      .array(
        z.strictObject({
          source: path.describe('On the node; below a folder that the node allows.'),
          target: path.describe('In the container.'),
          readOnly: z.boolean().default(true).describe('Whether the container may only read it.'),
        }),
      )
      .max(32)
      .default([])
      .describe('Folders of the node.'),
    readOnly: z.boolean().default(false).describe('Whether the container’s own files may only be read.'),
    tmpfs: z.array(path).max(16).default([]).describe('Folders in memory, for what is written meanwhile.'),
    shm: z.int().min(65_536).optional().describe('Size of /dev/shm in bytes.'),
    pids: z.int().min(1).max(32_768).default(1_024).describe('How many processes there may be in it at once.'),
    init: z.boolean().default(true).describe('Whether a small init reaps processes and hands signals on.'),
    stopSignal: z
      .string()
      .refine(isStopSignal, 'must be a signal such as SIGTERM, SIGINT or SIGRTMIN+3')
      .optional()
      .describe('The signal of a soft stop. Default: the image’s STOPSIGNAL, else SIGTERM.'),
    labels: z.record(z.string().min(1), z.string()).default({}).describe('Labels of the container.'),
    keep: z
      .enum(['never', 'failed', 'always'])
      .default('never')
      .describe('Whether the container stays when it has ended, to be looked at; for a day at most.'),
  })
  .describe('A command in a container.');
export type DockerConfig = z.output<typeof dockerConfig>;
