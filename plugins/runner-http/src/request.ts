import { Agent as HttpAgent, request as httpRequest, type ClientRequest, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { AddressRules } from './address-rules.ts';
import type { HttpConfig } from './config.ts';

/** One request, ready to be sent, as often as is wanted. */
export interface Prepared {
  readonly url: URL;
  readonly method: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** What Node needs of it, but for the headers: worked out once. */
  readonly options: RequestOptions;
}

/** Connections are kept open between attempts: a new one costs more than the request. */
interface Pool {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
}
const KEPT = { keepAlive: true, maxSockets: 256, scheduling: 'lifo' } as const;

/** A kept connection was checked by the rules that it was made under, and serves no others. */
const pools = new Map<AddressRules, Pool>();
function poolOf(rules: AddressRules): Pool {
  let pool = pools.get(rules);
  if (!pool) {
    pool = { http: new HttpAgent(KEPT), https: new HttpsAgent(KEPT) };
    pools.set(rules, pool);
  }
  return pool;
}

/** What may cross to another origin. Nobody knows which of a task's own headers is a secret: `X-Api-Key` is none by name. */
const HARMLESS = new Set(['accept', 'accept-language', 'content-length', 'content-type', 'user-agent']);
const NO_HEADERS: readonly string[] = [];

/** Closes the kept connections. */
export function closeConnections(): void {
  for (const { http, https } of pools.values()) {
    http.destroy();
    https.destroy();
  }
}

/** The URL is of a kind that is not spoken, or holds a name and password. */
export class BadUrl extends Error {
  override readonly name = 'BadUrl';
}

/** Reads a URL. Throws BadUrl. */
export function targetOf(text: string, base?: URL): URL {
  const url = URL.parse(text, base);
  if (!url) throw new BadUrl(`"${text.slice(0, 200)}" is not a URL.`);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new BadUrl(`${url.protocol} is not spoken; use http or https.`);
  if (url.username !== '' || url.password !== '')
    throw new BadUrl('A URL must not hold a name or password: use a header.');
  return url;
}

/** The request that a task's config asks for. Throws BadUrl, or AddressNotAllowed for an address that is one literally. */
export function prepared(config: HttpConfig, rules: AddressRules): Prepared {
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
  return complete(url, method, headers, content, rules);
}

/** The request that a redirect asks for; a task's own headers do not cross to another origin. Throws as `prepared` does. */
export function redirected(before: Prepared, status: number, location: string, rules: AddressRules): Prepared {
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
  return complete(url, becomesGet ? 'GET' : before.method, headers, becomesGet ? null : before.body, rules);
}

function complete(
  url: URL,
  method: string,
  headers: Readonly<Record<string, string>>,
  body: string | null,
  rules: AddressRules,
): Prepared {
  const isSecure = url.protocol === 'https:';
  const port = url.port === '' ? (isSecure ? 443 : 80) : Number(url.port);
  rules.checkLiteral(url.hostname, port);
  const hostname = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
  const options: RequestOptions = {
    protocol: url.protocol,
    hostname,
    port,
    path: `${url.pathname}${url.search}`,
    method,
    agent: isSecure ? poolOf(rules).https : poolOf(rules).http,
    lookup: rules.lookup(port) as never,
  };
  return { url, method, headers, body, options };
}

/** Sends a request. Throws when Node finds a header wrong. */
export function send({ url, headers, body, options }: Prepared, idempotencyKey: string): ClientRequest {
  // A flat list is written as it is; an object would be taken apart and put together once more.
  const list = NO_HEADERS.concat('host', headers['host'] ?? url.host);
  if (headers['idempotency-key'] === undefined) list.push('idempotency-key', idempotencyKey);
  for (const name in headers) if (name !== 'host') list.push(name, headers[name]!);
  const sent = (url.protocol === 'https:' ? httpsRequest : httpRequest)({ ...options, headers: list });
  sent.end(body ?? undefined);
  return sent;
}
