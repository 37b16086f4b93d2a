import * as z from 'zod';

/** What a node's operator may write for this runner. */
const schema = z.strictObject({
  /** What helpers run in. */
  helperShell: z.string().startsWith('/').optional(),
  /** A control group that the agent may make groups in: its path from the root of the hierarchy. */
  cgroup: z
    .string()
    .regex(/^\/?[\w@:-][\w@:.-]*(\/[\w@:-][\w@:.-]*)*\/?$/, 'is no path of a control group')
    .optional(),
  /** As whom commands may be run, by an agent that is root. */
  users: z.array(z.string().regex(/^[a-z_][\w.-]*\$?$/i, 'is no name of a user')).optional(),
  /** Where commands that run as another user have their folders: one that only root may change. */
  userFolder: z.string().startsWith('/').optional(),
});
export type Settings = z.output<typeof schema>;

/** What is wrong with a node's settings, for its operator. */
export class BadSettings extends Error {}

/** Throws BadSettings. */
export function settingsOf(value: unknown): Settings {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new BadSettings(
    `The node's settings for the runner shell cannot be used: ${parsed.error.issues
      .map(({ path, message }) => `${path.join('.') || 'all of them'}: ${message}`)
      .join('; ')}`,
  );
}
