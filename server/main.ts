import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createApiServer } from './api/server.ts';
import { assemble } from './assemble.ts';
import { checkFolderMatch, keepFolderRecord } from './folder-match.ts';
import type { Config } from './config/schema.ts';
import { sequence, type Service } from './lifecycle.ts';
import { createLog, type Logger } from './log.ts';
import type { Store } from './store/store.ts';

/** Where the admin token is kept, for commands on the same machine; readable for this user only. */
const ADMIN_TOKEN_FILE = 'admin-token';

/** A shorter admin token is taken, with a warning. */
const SAFE_TOKEN_CHARACTERS = 16;

/** A server that listens. */
export interface RunningServer {
  readonly url: string;
  /** Known only when it was just made, or configured. */
  readonly adminToken: string | null;
  /** Whether the database was empty. */
  readonly firstStart: boolean;
  /** Stops everything in good order. May be called twice. */
  stop(): Promise<void>;
}

/**
 * Starts a whole server: config → store → engines → API → the node that the server itself is. Rejects with what keeps
 * it from starting, and leaves nothing behind then.
 */
export async function startServer(config: Config, options: { readonly log?: Logger } = {}): Promise<RunningServer> {
  const log = options.log ?? createLog(config.logLevel, config.logFormat);
  const assembly = await assemble(config, log);
  const { store, tokens, engines, agent, history, storage, retention, ports, firstStart } = assembly;
  const api = createApiServer(ports, { host: config.host, port: config.port, allowedOrigins: config.allowedOrigins });
  const services = sequence([
    folderAndStore(config, store),
    storage,
    tokens,
    engines,
    // The term that has begun is what an older copy of the database lacks.
    { start: () => keepFolderRecord(config.dataDir, store.identity), stop: () => Promise.resolve() },
    history,
    retention,
    api,
    agent,
  ]);
  await services.start();
  try {
    if (config.adminToken !== null && config.adminToken.length < SAFE_TOKEN_CHARACTERS) {
      log.warn('The admin token is short enough to be guessed: whoever has it may run commands.');
    }
    const adminToken = await tokens.ensureAdmin(config.adminToken ?? undefined);
    if (adminToken !== null) await keepAdminToken(config.dataDir, adminToken);
    log.info({ url: api.url }, 'Gantry listens.');
    return { url: api.url, adminToken, firstStart, stop: () => services.stop() };
  } catch (error) {
    await services.stop();
    throw error;
  }
}

/** The store, once it is sure that it belongs to the data folder, and until everything is written. */
function folderAndStore({ dataDir, databaseUrl }: Config, store: Store): Service {
  const isLocal = databaseUrl.startsWith('sqlite:') && databaseUrl !== 'sqlite::memory:';
  let isOpen = false;
  return {
    async start() {
      try {
        await checkFolderMatch(dataDir, store.identity, isLocal);
        // Before the database says that it is open: a crash in between must not make the folder a stranger.
        await keepFolderRecord(dataDir, store.identity);
        await store.identity.opened();
        isOpen = true;
      } catch (error) {
        await store.close();
        throw error;
      }
    },
    async stop() {
      // A database that is away cannot be told, and need not be: only a file is looked at.
      if (isOpen) await store.identity.closed().catch(() => undefined);
      await store.close();
    },
  };
}

async function keepAdminToken(folder: string, token: string): Promise<void> {
  const path = join(folder, ADMIN_TOKEN_FILE);
  await writeFile(path, `${token}\n`, { mode: 0o600 });
  await chmod(path, 0o600);
}
