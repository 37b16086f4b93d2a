import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import type { Connection } from './connection.ts';

/** The file in the data folder into which a server writes the admin token that it made, with mode 0600. */
export const ADMIN_TOKEN_FILE = 'admin-token';

/** Addresses that mean “every interface” to a listener are reached by loopback. */
const REACHED_AS: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '[::1]', '::1': '[::1]' };

/** Where a server with this configuration is reached, without a slash at its end. */
export function urlOf(config: Pick<Config, 'host' | 'port' | 'url'>): string {
  if (config.url !== null) return config.url.replace(/\/+$/, '');
  const host = REACHED_AS[config.host] ?? (config.host.includes(':') ? `[${config.host}]` : config.host);
  return `http://${host}:${config.port}`;
}

/** The server and the token that the configuration names, or that the local server left behind. */
export function connectionOf(config: Config): Connection {
  const url = urlOf(config);
  const token = config.token ?? config.adminToken ?? savedToken(config, url);
  return {
    url,
    token,
    tokenHint:
      'Hand it in as GANTRY_TOKEN. The server keeps its own in the file ' +
      `${ADMIN_TOKEN_FILE} of its data folder, which is looked for in ${config.dataDir} (GANTRY_DATA_DIR).`,
  };
}

/** Only for a server on this machine: the token of one server must not be sent to another. */
function savedToken(config: Config, url: string): string | null {
  const { hostname } = new URL(url);
  if (config.url !== null && !['127.0.0.1', 'localhost', '[::1]'].includes(hostname)) return null;
  try {
    return readFileSync(join(config.dataDir, ADMIN_TOKEN_FILE), 'utf8').trim() || null;
  } catch {
    return null;
  }
}
