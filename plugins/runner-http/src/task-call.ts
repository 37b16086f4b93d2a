import type { Attempt } from '@gantry/plugin-kit/runner';
import type { CallOptions } from './call.ts';
import type { HttpConfig } from './config.ts';
import { shown } from './duration.ts';
import type { NodeRules } from './settings.ts';

/** The key is the request's: a further call with it would be taken for the same one. */
export const NO_KEY = { idempotencyKey: null, isKeyHeeded: false } as const;

/** What a task's `with:` says of each call that it makes. */
export function callOptions(
  attempt: Attempt<HttpConfig>,
  rules: NodeRules,
  body: Pick<CallOptions, 'print' | 'wantsBody'>,
): CallOptions {
  const { id, config } = attempt;
  return {
    rules,
    // The same for every try of a task run: whoever keeps to it does the work once.
    idempotencyKey: id.slice(0, id.lastIndexOf('.')),
    isKeyHeeded: isKeyHeeded(config),
    expect: config.expect,
    followRedirects: config.followRedirects,
    maxResponseBytes: config.maxResponseBytes,
    timeoutMs: config.timeout ?? null,
    connectMs: config.connectTimeout,
    answerMs: config.answerTimeout ?? null,
    reconnect: config.reconnect,
    onRetry: ({ reason }, delayMs) => attempt.stderr.write(`${reason.message} Again in ${shown(delayMs)}.\n`),
    ...body,
  };
}

/** Whether the service heeds the idempotency key, so that any method may be sent twice. */
export const isKeyHeeded = (config: HttpConfig): boolean => config.idempotencyKey || hasOwnKey(config);

/** A task that gives a key itself knows that the service heeds it. */
function hasOwnKey({ headers }: HttpConfig): boolean {
  for (const name in headers) if (name.toLowerCase() === 'idempotency-key') return true;
  return false;
}
