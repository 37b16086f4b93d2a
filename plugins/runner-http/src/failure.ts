import type { Outcome } from '@gantry/plugin-kit/runner';
import { AddressNotAllowed } from './address-rules.ts';
import type { Proxy } from './proxy.ts';
import { BadUrl } from './request.ts';
import { BadSettings } from './settings.ts';
import { TlsRefused } from './tls.ts';

export type Failed = Extract<Outcome, { ok: false }>;

/** A failure of the task: its own retries are what helps against it. */
export function failure(code: string, message: string, remedy?: string): Failed {
  const reason = remedy === undefined ? { code, message } : { code, message, remedy };
  return { ok: false, kind: 'APPLICATION', reason };
}

/** The same, of a request that may have been done in spite of it: nobody knows, and it must not be made again. */
export function unknownOutcome(why: Failed): Failed {
  const message = `${why.reason.message} The request had been sent: nobody knows whether it was done.`;
  const remedy = 'Check by hand. If the service heeds Idempotency-Key, say idempotencyKey: true.';
  return { ...why, kind: 'UNKNOWN', reason: { ...why.reason, message, remedy } };
}

/** A stop before anything was sent: nothing was done. */
export const notBegun = (what: string): Failed => ({
  ok: false,
  kind: 'REJECTED',
  reason: { code: 'STOPPED', message: `The attempt was stopped: ${what}.` },
});

/** What OpenSSL calls a certificate that Node does not trust, or that is not of the host that was asked for. */
const TLS_REMEDIES: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'Give the certificate as tls.ca.',
  SELF_SIGNED_CERT_IN_CHAIN: 'Give the authority’s certificate as tls.ca.',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'Give the authority’s certificate as tls.ca.',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'Give the authority’s certificate as tls.ca.',
  ERR_TLS_CERT_ALTNAME_INVALID: 'If the server is the right one, give the name of its certificate as tls.serverName.',
  CERT_HAS_EXPIRED: 'The server needs a new certificate.',
};

/** What the node itself lacks, and what helps: nothing has reached the service then, and nothing is wrong with the task. */
const LACKS: Readonly<Record<string, string>> = {
  EAI_AGAIN: 'See whether the node’s name server answers.',
  ENETDOWN: 'See whether the node has a network.',
  ENETUNREACH: 'See whether the node has a network, and a route to the address.',
  EADDRNOTAVAIL: 'The node has no more local ports: wait, or let fewer requests run at once.',
  EMFILE: 'Raise the limit of open files of the agent (ulimit -n).',
  ENFILE: 'Raise fs.file-max on the node.',
  ENOBUFS: 'Look at the memory of the node.',
  ENOMEM: 'Look at the memory of the node.',
};

/** What went wrong before or instead of an answer. */
export function failureOf(error: unknown): Failed {
  if (error instanceof AddressNotAllowed) {
    return failure(
      'ADDRESS_NOT_ALLOWED',
      `${error.message}.`,
      'The node’s operator may allow it: runners.http.allow, or GANTRY_HTTP_ALLOW.',
    );
  }
  if (error instanceof BadUrl) return failure('BAD_URL', error.message);
  if (error instanceof TlsRefused) return failure(error.code, error.message, error.remedy);
  if (error instanceof BadSettings) {
    const reason = { code: 'BAD_SETTINGS', message: `${error.message}.`, remedy: 'The node’s operator must mend it.' };
    return { ok: false, kind: 'REJECTED', reason };
  }
  const { code, message } = error as NodeJS.ErrnoException;
  const lacks = LACKS[code ?? ''];
  if (lacks !== undefined && isBeforeRequest(error)) {
    const reason = { code: code!, message: `The node could not send the request: ${message}.`, remedy: lacks };
    return { ok: false, kind: 'INFRASTRUCTURE', reason };
  }
  return failure(
    code ?? 'REQUEST_FAILED',
    `The request failed: ${message || (code ?? 'no reason was given')}.`,
    TLS_REMEDIES[code ?? ''],
  );
}

/** Whether it went wrong before a byte of the request was sent: what breaks later may have reached the service. */
function isBeforeRequest(error: unknown): boolean {
  const { syscall } = error as NodeJS.ErrnoException;
  return syscall !== 'read' && syscall !== 'write';
}

/** What the system says of an address that cannot be reached: behind a proxy, of the proxy's. */
const UNREACHABLE = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'ENOTFOUND',
  'ETIMEDOUT',
]);

/** What went wrong before an answer came through a proxy: the node's fault, where it is the proxy's own. */
export function proxyFailureOf(error: unknown, { origin }: Proxy): Failed {
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (UNREACHABLE.has(code) && isBeforeRequest(error))
    return ofProxy('PROXY_UNREACHABLE', `The proxy ${origin} cannot be reached: ${message}.`);
  if (code !== 'ERR_PROXY_TUNNEL') return failureOf(error);
  const status = / (\d{3})(?: |$)/.exec(message.slice(message.indexOf('HTTP/')))?.[1] ?? '';
  const what = `The proxy ${origin} makes no way to the service: ${message}.`;
  if (status === '407') return ofProxy('PROXY_REFUSED', what);
  return failure('PROXY_REFUSED', what, 'May this service be reached through the proxy, and is it up?');
}

/** The proxy's fault, or that of what the node shows it. */
export function ofProxy(code: string, message: string): Failed {
  const reason = { code, message, remedy: 'The node’s operator must see to it: runners.http.proxy.' };
  return { ok: false, kind: 'INFRASTRUCTURE', reason };
}
