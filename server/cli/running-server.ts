import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import type { Connection } from './connection.ts';
import { ADMIN_TOKEN_FILE } from './connect.ts';
import type { Context } from './command.ts';
import { EXIT_CODES, type ExitCode } from './exit-code.ts';
import { CommandFailure } from './failure.ts';

/** What `server/main.ts` hands back. */
export interface RunningServer {
  readonly url: string;
  /** Known only when it was just made, or configured. */
  readonly adminToken: string | null;
  /** Whether the data folder was empty. */
  readonly firstStart: boolean;
  stop(): Promise<void>;
}

/** Starts a server in this process. What keeps it from starting is said in a sentence. */
export async function startHere(config: Config): Promise<RunningServer> {
  // Loaded only here: a client command must not pay for the server.
  const { startServer } = await import('../main.ts');
  try {
    return await startServer(config);
  } catch (error) {
    throw startFailure(error, config);
  }
}

function startFailure(error: unknown, { host, port }: Config): Error {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  if (name === 'DataFolderInUse') {
    return new CommandFailure({ code: 'DATA_FOLDER_IN_USE', exitCode: EXIT_CODES.IN_USE.code, message });
  }
  const code = (error as NodeJS.ErrnoException | null)?.code;
  const failed = { code: 'NOT_STARTED', exitCode: EXIT_CODES.FAILED.code } as const;
  if (code === 'EADDRINUSE') {
    return new CommandFailure({
      ...failed,
      message: `Port ${port} of ${host} is in use.`,
      remedy: 'Stop what listens there, or choose another with --port or GANTRY_PORT; 0 takes any free one.',
    });
  }
  if (code === 'EADDRNOTAVAIL' || code === 'EACCES' || code === 'ENOTFOUND') {
    return new CommandFailure({
      ...failed,
      message: `Gantry could not start: ${message}.`,
      remedy: 'gantry config print shows the settings and where they came from.',
    });
  }
  const remedy = (error as { remedy?: unknown } | null)?.remedy;
  if (error instanceof Error && KNOWN_FAULTS.has(error.name)) {
    return new CommandFailure({
      ...failed,
      message: error.message,
      remedy: `${typeof remedy === 'string' ? `${remedy} ` : ''}\`gantry doctor\` examines the data folder and the database.`,
    });
  }
  if (name === 'DataFolderUnusable') {
    const own = 'Make it writable for this user, or choose another with --data-dir or GANTRY_DATA_DIR.';
    return new CommandFailure({ ...failed, message, remedy: own });
  }
  return error instanceof Error ? error : new Error(message);
}

/** What a server says itself about its data folder or its database: no stack helps with it. */
const KNOWN_FAULTS: ReadonlySet<string> = new Set([
  'StoreUnavailable',
  'NewerDatabase',
  'InvalidDatabaseUrl',
  'CorruptRow',
  'FolderMismatch',
]);

/** How this process reaches the server that it has started. */
export function connectionTo(server: RunningServer, config: Config): Connection {
  return {
    url: server.url,
    token: server.adminToken ?? config.adminToken ?? savedToken(config.dataDir),
    tokenHint: 'Set GANTRY_ADMIN_TOKEN to a token of your own, or remove the data folder to begin anew.',
  };
}

function savedToken(dataDir: string): string | null {
  try {
    return readFileSync(join(dataDir, ADMIN_TOKEN_FILE), 'utf8').trim() || null;
  } catch {
    return null;
  }
}

/** The address that signs a browser in, as Jupyter prints one; the token is behind `#`, which no server or proxy sees. */
export function loginLink({ url, token }: Connection): string {
  return `${url}/${token === null ? '' : `#token=${token}`}`;
}

/** Serves until SIGTERM or Ctrl-C, then stops in good order. A second one stops at once. */
export async function serveUntilInterrupted(server: RunningServer, context: Context): Promise<ExitCode> {
  let off: () => void = () => undefined;
  await new Promise<void>((resolve) => {
    off = context.onInterrupt(resolve);
  });
  off();
  return stopInGoodOrder(server, context);
}

/** Stops the server; another interrupt meanwhile ends the process at once, as a crash would, which loses nothing. */
export async function stopInGoodOrder(server: RunningServer, context: Context): Promise<ExitCode> {
  context.output.note('stopping; once more to stop at once');
  const off = context.onInterrupt(() => context.exitNow(EXIT_CODES.DETACHED.code));
  try {
    await server.stop();
  } finally {
    off();
  }
  return EXIT_CODES.SUCCEEDED.code;
}
