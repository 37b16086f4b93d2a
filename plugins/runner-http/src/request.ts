import { Agent as HttpAgent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { AddressNotAllowed, type AddressRules } from './address-rules.ts';

/** One request, ready to be sent. */
export interface Prepared {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** Connections are kept open between attempts: a new one costs more than the request. */
const http = new HttpAgent({ keepAlive: true, maxSockets: 256, scheduling: 'lifo' });
const https = new HttpsAgent({ keepAlive: true, maxSockets: 256, scheduling: 'lifo' });
/** Kept connections were checked when they were made, under the rules of the same process. */
const SENSITIVE = ['authorization', 'cookie', 'proxy-authorization'];

/** Closes the kept connections. */
export function closeConnections(): void {
  http.destroy();
  https.destroy();
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

/** Sends a request and resolves with the answer's head. Rejects with AddressNotAllowed, or what the network says. */
export function send(prepared: Prepared, rules: AddressRules, signal: AbortSignal): Promise<IncomingMessage> {
  const { url, method, headers, body } = prepared;
  const isSecure = url.protocol === 'https:';
  const port = url.port === '' ? (isSecure ? 443 : 80) : Number(url.port);
  return new Promise((resolve, reject) => {
    try {
      rules.checkLiteral(url.hostname, port);
      const sent: ClientRequest = (isSecure ? httpsRequest : httpRequest)(url, {
        method,
        headers,
        agent: isSecure ? https : http,
        lookup: rules.lookup(port) as never,
        signal,
      });
      sent.on('response', resolve);
      sent.on('error', reject);
      sent.end(body ?? undefined);
    } catch (error) {
      reject(error as Error);
    }
  });
}

/** The request that a redirect asks for; credentials do not cross to another origin. */
export function redirected(prepared: Prepared, status: number, location: string): Prepared {
  const url = targetOf(location, prepared.url);
  // As browsers do: 303 always, 301 and 302 for POST, become a GET without a body.
  const becomesGet = status === 303 || ((status === 301 || status === 302) && prepared.method === 'POST');
  const isSameOrigin = url.origin === prepared.url.origin;
  const headers = Object.fromEntries(
    Object.entries(prepared.headers).filter(([name]) => {
      const lower = name.toLowerCase();
      if (!isSameOrigin && SENSITIVE.includes(lower)) return false;
      return !(becomesGet && (lower === 'content-type' || lower === 'content-length'));
    }),
  );
  return becomesGet ? { url, method: 'GET', headers, body: null } : { ...prepared, url, headers };
}

export { AddressNotAllowed };
