import { StoreUnavailable } from '../store.ts';

/** What mysql2 rejects with. Compare `errno`, never `code`: mysql2 gives MariaDB's own errors wrong or no names. */
interface MysqlError {
  readonly errno?: number;
  readonly code?: string;
  readonly fatal?: boolean;
  readonly message: string;
}

/** Deadlock (also at COMMIT on Galera), lock wait, record changed since it was read, certification lost. */
const RETRIABLE: ReadonlySet<number> = new Set([1213, 1205, 1020, 1180]);
const DUPLICATE = 1062;
/** The server cannot do it now: too many connections, not the primary, shutting down, disk or table full, read-only,
 *  interrupted, statement took too long (MariaDB, MySQL). */
const UNAVAILABLE: ReadonlySet<number> = new Set([
  1040, 1041, 1047, 1053, 1021, 1114, 1129, 1203, 1226, 1290, 1317, 1836, 1969, 3024,
]);
const CLIENT_TIMEOUT = 'PROTOCOL_SEQUENCE_TIMEOUT';

const asMysqlError = (error: unknown): MysqlError | undefined =>
  typeof error === 'object' && error !== null ? (error as MysqlError) : undefined;

/** Whether the whole transaction may be tried again. */
export const isRetriable = (error: unknown): boolean => RETRIABLE.has(asMysqlError(error)?.errno ?? 0);

/** Whether a unique key refused the row. */
export const isDuplicate = (error: unknown): boolean => asMysqlError(error)?.errno === DUPLICATE;

/** Whether the connection must not be used again. */
export function isBroken(error: unknown): boolean {
  const known = asMysqlError(error);
  return known?.fatal === true || known?.code === CLIENT_TIMEOUT;
}

/** Whether the server was silent, so that asking again would only wait again. */
export const isTimeout = (error: unknown): boolean => {
  const code = asMysqlError(error)?.code;
  return code === CLIENT_TIMEOUT || code === 'ETIMEDOUT';
};

/** Tells a database that is away from a fault of ours, which is left as it is, as are errors to retry. */
export function mysqlError(error: unknown): unknown {
  const known = asMysqlError(error);
  if (known === undefined || known instanceof StoreUnavailable || isRetriable(error)) return error;
  if (isBroken(error) || UNAVAILABLE.has(known.errno ?? 0) || isSystemError(known)) {
    const why = known.code === CLIENT_TIMEOUT ? 'it did not answer a statement in time' : known.message;
    return new StoreUnavailable(`The database cannot be used: ${why}.`, { cause: error });
  }
  return error;
}

/** `ECONNREFUSED`, `ENOENT` for a socket that is not there, and their like. */
const isSystemError = ({ code, errno }: MysqlError): boolean =>
  errno !== undefined && errno < 0 ? true : /^E[A-Z]+$/.test(code ?? '');
