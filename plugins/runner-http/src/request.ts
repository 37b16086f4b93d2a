import { request as httpRequest, type ClientRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Json } from '@gantry/plugin-kit/runner';
import type { HttpConfig } from './config.ts';
import { agentFor } from './connections.ts';
import { headerBytes } from './header-text.ts';
import type { Proxy } from './proxy.ts';
import type { NodeRules } from './settings.ts';
import type { TlsConfig } from './tls.ts';

/** One request, ready to be sent, as often as is wanted. */
export interface Prepared {
  readonly url: URL;
  readonly method: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** What the task asks of TLS at this origin. */
  readonly tls: TlsConfig | undefined;
  /** Through whom it goes; null for nobody. */
  readonly proxy: Proxy | null;
  /** What Node needs of it, but for the headers: worked out once. */
  readonly options: RequestOptions;
}

/** What may cross to another origin. Nobody knows which of a task's own headers is a secret: `X-Api-Key` is none by name. */
const HARMLESS = new Set(['accept', 'accept-language', 'content-length', 'content-type', 'user-agent']);
const NO_HEADERS: readonly string[] = [];

/** The URL is of a kind that is not spoken, or holds a name and password. */
export class BadUrl extends Error {
  override readonly name = 'BadUrl';
}

/** A URL as a message shows it: what follows the path may be a secret. */
export const whereTo = ({ origin, pathname }: URL): string => `${origin}${pathname}`;

/** Reads a URL. Throws BadUrl. */
export function targetOf(text: string, base?: URL): URL {
  const url = URL.parse(text, base);
  if (!url) throw new BadUrl(`"${text.split('?')[0]!.slice(0, 200)}" is not a URL.`);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new BadUrl(`${url.protocol} is not spoken; use http or https.`);
  if (url.username !== '' || url.password !== '')
    throw new BadUrl('A URL must not hold a name or password: use a header.');
  return url;
}

/** The request that a task's config asks for. Throws BadUrl, or AddressNotAllowed for an address that is one literally. */
export function prepared(config: HttpConfig, rules: NodeRules): Prepared {
  const { method, query, body, json, form } = config;
  const url = targetOf(config.url);
  for (const name in query) url.searchParams.append(name, String(query[name]));
  const headers: Record<string, string> = { 'user-agent': 'gantry' };
  let content: string | null = null;
  if (json !== undefined) {
    headers['content-type'] = 'application/json';
    content = JSON.stringify(json);
  } else if (form !== undefined) {
    headers['content-type'] = 'application/x-www-form-urlencoded';
    content = new URLSearchParams(form).toString();
  } else if (body !== undefined) {
    content = body;
  }
  if (content !== null) headers['content-length'] = String(Buffer.byteLength(content));
  for (const name in config.headers) headers[name.toLowerCase()] = config.headers[name]!;
  return complete({ url, method, headers, body: content, tls: config.tls }, rules);
}

/** The request that a redirect asks for; a task's own headers do not cross to another origin. Throws as `prepared` does. */
export function redirected(before: Prepared, status: number, location: string, rules: NodeRules): Prepared {
  const url = targetOf(location, before.url);
  // As browsers do: 303 always, 301 and 302 for POST, become a GET without a body.
  const becomesGet = status === 303 || ((status === 301 || status === 302) && before.method === 'POST');
  const isSameOrigin = url.origin === before.url.origin;
  const headers: Record<string, string> = {};
  for (const name in before.headers) {
    if (!isSameOrigin && !HARMLESS.has(name)) continue;
    if (becomesGet && (name === 'content-type' || name === 'content-length')) continue;
    headers[name] = before.headers[name]!;
  }
  const method = becomesGet ? 'GET' : before.method;
  const tls = isSameOrigin ? before.tls : elsewhere(before.tls);
  return complete({ url, method, headers, body: becomesGet ? null : before.body, tls }, rules);
}

/** What another origin is met with: whom to trust holds there too, but no certificate is shown and none goes unchecked. */
function elsewhere(tls: TlsConfig | undefined): TlsConfig | undefined {
  if (tls === undefined) return undefined;
  const { certificate: _, serverName: __, ...rest } = tls;
  return { ...rest, insecure: false };
}

/** A further call that belongs to a task's job. */
export interface JobCall {
  readonly url: URL;
  /** Whether the task itself wrote down whom to ask; otherwise the answer of the service said so. */
  readonly isWritten: boolean;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly json?: Json | undefined;
}

/**
 * The request of a job's further call. The task's own headers and TLS go along to its own origin. The call's own go
 * where the task wrote that they go: a service may lead a job's URL elsewhere, but not what is secret. Throws as
 * `prepared` does.
 */
export function preparedForJob(config: HttpConfig, call: JobCall, rules: NodeRules): Prepared {
  const { url, method } = call;
  const isOwnOrigin = url.origin === targetOf(config.url).origin;
  const headers: Record<string, string> = { 'user-agent': 'gantry' };
  const take = (given: Readonly<Record<string, string>>, isTrusted: boolean) => {
    for (const name in given) {
      const lower = name.toLowerCase();
      if (isTrusted || HARMLESS.has(lower)) headers[lower] = given[name]!;
    }
  };
  take(config.headers, isOwnOrigin);
  // These two are of the body, and of the request.
  delete headers['content-type'];
  delete headers['idempotency-key'];
  take(call.headers, isOwnOrigin || call.isWritten);
  const body = call.json === undefined ? null : JSON.stringify(call.json);
  if (body !== null) {
    headers['content-type'] = 'application/json';
    headers['content-length'] = String(Buffer.byteLength(body));
  }
  const tls = isOwnOrigin ? config.tls : elsewhere(config.tls);
  return complete({ url, method, headers, body, tls }, rules);
}

function complete(request: Omit<Prepared, 'options' | 'proxy'>, rules: NodeRules): Prepared {
  const { url, method, tls } = request;
  const isSecure = url.protocol === 'https:';
  const port = url.port === '' ? (isSecure ? 443 : 80) : Number(url.port);
  rules.addresses.checkLiteral(url.hostname, port);
  const proxy = rules.proxyFor(url);
  const hostname = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
  const options: RequestOptions = {
    protocol: url.protocol,
    hostname,
    port,
    path: `${url.pathname}${url.search}`,
    method,
    agent: agentFor(url, tls, hostname, rules, proxy),
    // A proxy is the operator's to choose: its own address is not looked at.
    ...(proxy === null ? { lookup: rules.addresses.lookup(port) as never } : {}),
  };
  return { ...request, proxy, options };
}

/** Sends a request. Throws when Node finds a header wrong. */
export function send({ url, headers, body, proxy, options }: Prepared, idempotencyKey: string | null): ClientRequest {
  // A flat list is written as it is; an object would be taken apart and put together once more.
  const list = NO_HEADERS.concat('host', headers['host'] ?? url.host);
  if (idempotencyKey !== null && headers['idempotency-key'] === undefined) list.push('idempotency-key', idempotencyKey);
  for (const name in headers) if (name !== 'host') list.push(name, headerBytes(headers[name]!));
  // In a tunnel it has been shown already, and what is in there is not the proxy's.
  if (proxy !== null && proxy.authorization !== null && url.protocol === 'http:')
    list.push('proxy-authorization', proxy.authorization);
  const sent = (url.protocol === 'https:' ? httpsRequest : httpRequest)({ ...options, headers: list });
  sent.end(body ?? undefined);
  return sent;
}
