import { availableParallelism } from 'node:os';
import * as z from 'zod';
import { DockerFailure } from './failure.ts';

const path = z.string().max(4_096).startsWith('/', 'must be an absolute path');

/** What the node's operator allows. */
const dockerSettings = z.strictObject({
  /** `unix:///path` or `tcp://host:port`, which is spoken to without TLS. Default: DOCKER_HOST, else Docker's usual socket. */
  host: z
    .string()
    .regex(/^(unix:\/\/\/.+|tcp:\/\/[^/:[\]]+(:\d{1,5})?\/?)$/i, 'must be unix:///path or tcp://host:port')
    .prefault(() => process.env['DOCKER_HOST'] || 'unix:///var/run/docker.sock'),
  /** So many containers are made and started at a time. Default: 8, or as many as the node has processors. */
  startsAtOnce: z
    .int()
    .min(1)
    .max(1_000)
    .default(() => Math.max(8, availableParallelism())),
  /** So long an engine may be away before the attempts that it runs are given up. Milliseconds. */
  engineAwayMs: z.int().min(0).max(86_400_000).default(60_000),
  networks: z.array(z.string().min(1)).default(['bridge']),
  mounts: z.array(z.strictObject({ path, readOnly: z.boolean().default(true) })).default([]),
  /** By registry host; the password is read from a file of the node when it is needed. */
  registries: z.record(z.string(), z.strictObject({ username: z.string(), passwordFile: path })).default({}),
});
export type DockerSettings = z.output<typeof dockerSettings>;

/** Throws a DockerFailure that says what is wrong with them. */
export function settingsOf(value: unknown): DockerSettings {
  const parsed = dockerSettings.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'all of them'}: ${issue.message}`);
  const message = `The node's settings for the runner docker cannot be used: ${problems.join('; ')}.`;
  throw new DockerFailure('REJECTED', 'BAD_SETTINGS', message, 'Mend them in the configuration of the node.');
}
