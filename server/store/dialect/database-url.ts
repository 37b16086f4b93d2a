import type { MysqlAddress } from './mysql-pool.ts';

/** The URL names no database that this program knows. */
export class InvalidDatabaseUrl extends Error {
  override readonly name = 'InvalidDatabaseUrl';
}

/** Where a database is. */
export type DatabaseAddress =
  { readonly kind: 'SQLITE'; readonly path: string } | { readonly kind: 'MYSQL'; readonly address: MysqlAddress };

/** Reads a database URL. Throws InvalidDatabaseUrl. */
export function readDatabaseUrl(url: string): DatabaseAddress {
  if (url.startsWith('sqlite:')) return { kind: 'SQLITE', path: sqlitePath(url.slice('sqlite:'.length)) };
  if (url.startsWith('mysql:')) return { kind: 'MYSQL', address: mysqlAddress(url) };
  // Passwords may be anywhere in what was typed, so no more than the scheme is repeated.
  const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(url)?.[0] ?? 'none';
  throw new InvalidDatabaseUrl(
    `The database URL has the scheme ${scheme}. Use sqlite:PATH or mysql://user:password@host:port/database (GANTRY_DATABASE_URL).`,
  );
}

function sqlitePath(path: string): string {
  if (path !== '' && !path.startsWith('//')) return path;
  throw new InvalidDatabaseUrl(
    'The database URL names no file. Write sqlite:PATH, for example sqlite:.gantry/gantry.db.',
  );
}

const EXAMPLE =
  'Write mysql://user:password@host:3306/database, or mysql://user@localhost/database?socketPath=/path/to.sock.';

function mysqlAddress(url: string): MysqlAddress {
  let parts: URL;
  let path: string;
  let credentials: string[];
  try {
    parts = new URL(url);
    path = decodeURIComponent(parts.pathname.slice(1));
    credentials = [parts.username, parts.password].map(decodeURIComponent);
  } catch {
    // Not with the URL as cause: it may hold a password.
    throw new InvalidDatabaseUrl(`The mysql: database URL cannot be read. ${EXAMPLE}`);
  }
  const [user = '', password = ''] = credentials;
  const parameters = [...parts.searchParams.keys()];
  const unknown = parameters.find((parameter) => parameter !== 'socketPath');
  if (unknown !== undefined) {
    throw new InvalidDatabaseUrl(`The database URL has an unknown parameter ${unknown}; it may have socketPath.`);
  }
  if (path === '' || path.includes('/')) throw new InvalidDatabaseUrl(`The database URL names no database. ${EXAMPLE}`);
  if (user === '') throw new InvalidDatabaseUrl(`The database URL names no user. ${EXAMPLE}`);
  const socketPath = parts.searchParams.get('socketPath');
  const place = socketPath
    ? { socketPath }
    : { host: parts.hostname.replace(/^\[|\]$/g, ''), port: parts.port === '' ? 3306 : Number(parts.port) };
  if (!socketPath && parts.hostname === '') throw new InvalidDatabaseUrl(`The database URL names no host. ${EXAMPLE}`);
  return { ...place, user, password, database: path };
}
