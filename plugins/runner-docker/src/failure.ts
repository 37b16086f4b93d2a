import type { Outcome } from '@gantry/plugin-kit/runner';
import { refusalOf, type Asked } from './engine-refusal.ts';

/** How an attempt may fail. */
export type Failed = Extract<Outcome, { readonly ok: false }>;

/** What ends an attempt, thrown where it is found. */
export class DockerFailure extends Error {
  override readonly name = 'DockerFailure';
  readonly outcome: Failed;

  constructor(kind: Failed['kind'], code: string, message: string, remedy?: string) {
    super(message);
    this.outcome = { ok: false, kind, reason: { code, message, ...(remedy === undefined ? {} : { remedy }) } };
  }
}

interface EngineError extends Error {
  readonly code?: string;
  readonly statusCode?: number;
  readonly syscall?: string;
  /** Of a file of this node, where the error is about one. */
  readonly path?: string;
  readonly json?: { readonly message?: string };
}

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ENOENT',
  'EACCES',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
]);

const LACKS = new Set(['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE']);

/** Whether it is about a file of the node, and not about a connection: a socket's path stands under `address`. */
const isOfFile = (error: unknown): boolean =>
  (error as EngineError).path !== undefined || LACKS.has((error as EngineError).code ?? '');

/** Whether nobody answered, rather than somebody who said no. */
export const isUnreachable = (error: unknown): boolean =>
  UNREACHABLE.has((error as EngineError).code ?? '') && !isOfFile(error);

/** The status of an engine's answer; null when it gave none. */
export const statusOf = (error: unknown): number | null => (error as EngineError).statusCode ?? null;

/** In the engine's own words. Of an answer that its client has not read as JSON, without what the client says of it. */
export function messageOf(error: unknown): string {
  const message = (error as EngineError).json?.message ?? (error instanceof Error ? error.message : String(error));
  return message.replace(/^\(HTTP code \d+\) [^-]* - /, '').trim();
}

/**
 * What an error of the engine, or of the node, means for an attempt. Decided by what was said: the same status stands
 * for the task's mistakes and for the engine's own, and engines differ in it.
 *
 * @param asked What the task wanted of the engine; null where that is not known.
 */
export function failureOf(error: unknown, asked: Asked | null = null): Failed {
  if (error instanceof DockerFailure) return error.outcome;
  const message = messageOf(error);
  if (isUnreachable(error)) {
    const remedy = 'See that the engine runs on the node, and that its agent may use the socket.';
    const what = `The container engine does not answer: ${message}.`;
    return new DockerFailure('INFRASTRUCTURE', 'ENGINE_UNREACHABLE', what, remedy).outcome;
  }
  if (isOfFile(error)) return ofFile(error as EngineError).outcome;
  const known = refusalOf(message, asked);
  if (known !== null) return known;
  // Nobody knows these words. That the engine calls it the client's mistake is all there is to go by.
  const status = statusOf(error);
  const kind = status !== null && status >= 400 && status < 500 ? 'APPLICATION' : 'INFRASTRUCTURE';
  return new DockerFailure(kind, 'ENGINE_REFUSED', `The container engine refused: ${message}`).outcome;
}

/** The folder through which the container hands on outputs could not be made. */
function ofFile({ code, message }: EngineError): DockerFailure {
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new DockerFailure('INFRASTRUCTURE', 'DISK_FULL', `The node’s disk is full: ${message}`, 'Make room on it.');
  const what = `The node could not make the folder of the container: ${message}`;
  return new DockerFailure('INFRASTRUCTURE', 'NODE_FAULT', what);
}
