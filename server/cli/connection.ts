import { EXIT_CODES } from './exit-code.ts';
import { CommandFailure } from './failure.ts';

/** Where the server is and what to show it. */
export interface Connection {
  /** Without a slash at its end. */
  readonly url: string;
  readonly token: string | null;
  /** What a person may do when there is no token, or not the right one. */
  readonly tokenHint: string;
}

/** Milliseconds that the server has for one answer. */
export const ANSWER_MS = 30_000;

/** What the server says of an operation that it did not carry out. */
export function failureOfErrors(
  errors: readonly { readonly message: string; readonly extensions?: { readonly code?: unknown } }[],
  connection: Connection,
): CommandFailure {
  const code = errors[0]?.extensions?.code;
  if (code === 'UNAUTHENTICATED') return unauthenticated(connection);
  const isOurs = code === 'INTERNAL' || code === 'UNAVAILABLE';
  return new CommandFailure({
    code: typeof code === 'string' ? code : 'REFUSED',
    message: errors.map((error) => error.message).join(' '),
    exitCode: isOurs ? EXIT_CODES.FAILED.code : EXIT_CODES.REFUSED.code,
  });
}

/** The server knows no such token. */
export function unauthenticated({ url, token, tokenHint }: Connection): CommandFailure {
  return new CommandFailure({
    code: 'UNAUTHENTICATED',
    message: token === null ? `Gantry at ${url} asks for a token.` : `Gantry at ${url} does not accept this token.`,
    remedy: tokenHint,
  });
}

/** Nobody answers there. */
export function unreachable(url: string, cause: unknown): CommandFailure {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const code = (inner as NodeJS.ErrnoException).code;
  const isTimeout = cause instanceof Error && cause.name === 'TimeoutError';
  const why = isTimeout ? ` (no answer in ${ANSWER_MS / 1000} s)` : code === undefined ? '' : ` (${code})`;
  return new CommandFailure({
    code: 'UNREACHABLE',
    message: `Cannot reach Gantry at ${url}${why}.`,
    remedy: 'Is `gantry server` running there? Start it, or name another address with --url or GANTRY_URL.',
    exitCode: EXIT_CODES.UNREACHABLE.code,
  });
}
