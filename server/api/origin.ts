import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/** Which web pages may speak to this server. */
export interface OriginPolicy {
  /** Where people reach this server, when that is not where it listens. */
  readonly publicUrl?: string;
  /** Further origins: `https://gantry.example.org`. */
  readonly allowedOrigins?: readonly string[];
}

/**
 * Whether a request comes from no web page at all, or from one that may. A page of this server itself is known by its
 * host, but only where that is `localhost` or an address: a name could be somebody else's that points here.
 */
export function isOriginAllowed({ headers }: IncomingMessage, { publicUrl, allowedOrigins }: OriginPolicy): boolean {
  const { origin, host } = headers;
  if (origin === undefined) return true;
  if (!URL.canParse(origin)) return false;
  const url = new URL(origin);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return false;
  if (allowedOrigins?.includes(url.origin)) return true;
  if (publicUrl !== undefined && new URL(publicUrl).origin === url.origin) return true;
  const name = url.hostname.replace(/^\[|\]$/g, '');
  return url.host === host && (name === 'localhost' || isIP(name) !== 0);
}
