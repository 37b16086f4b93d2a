import ipaddr from 'ipaddr.js';

/** Through whom requests go. */
export interface Proxy {
  /** `http://host:port`, without credentials: for messages, and for keeping its connections apart. */
  readonly origin: string;
  /** The same, with what it is shown of the node. */
  readonly href: string;
  /** The header that shows it; null for none. */
  readonly authorization: string | null;
  /** Whether names are its to look up: the node may have no name server for them. */
  readonly looksUp: boolean;
}

/** A proxy as it is written down. */
export interface ProxyAddress {
  readonly url: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly looksUp: boolean;
}

/** Makes a proxy of what is written down. Throws RangeError for what is none. */
export function proxyOf({ url, username, password, looksUp }: ProxyAddress): Proxy {
  const parsed = URL.parse(url);
  if (parsed === null || parsed.protocol !== 'http:' || parsed.pathname !== '/' || parsed.search !== '')
    throw new RangeError(
      'a proxy is written as http://host:port, with name and password before the host if it wants them',
    );
  const { origin } = parsed;
  if (username !== undefined) parsed.username = encodeURIComponent(username);
  if (password !== undefined) parsed.password = encodeURIComponent(password);
  const shown = `${decodeURIComponent(parsed.username)}:${decodeURIComponent(parsed.password)}`;
  const authorization = shown === ':' ? null : `Basic ${Buffer.from(shown).toString('base64')}`;
  return { origin, href: parsed.href, authorization, looksUp };
}

/** Hosts that are reached without the proxy. */
export class NoProxy {
  readonly #patterns: readonly ((host: string, port: string) => boolean)[];

  /** @param entries `host`, `host:port`, `*.domain` or `.domain`, an address, a range such as `10.0.0.0/8`, or `*`. */
  constructor(entries: readonly string[]) {
    this.#patterns = entries
      .map((entry) => entry.trim().toLowerCase())
      .filter((entry) => entry !== '')
      .map(patternOf);
  }

  includes({ hostname, port, protocol }: URL): boolean {
    const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
    const used = port === '' ? (protocol === 'https:' ? '443' : '80') : port;
    return this.#patterns.some((matches) => matches(host, used));
  }
}

function patternOf(entry: string): (host: string, port: string) => boolean {
  if (entry === '*') return () => true;
  if (ipaddr.isValidCIDR(entry)) {
    const range = ipaddr.parseCIDR(entry);
    return (host) => {
      if (!ipaddr.isValid(host)) return false;
      const address = ipaddr.process(host);
      return address.kind() === range[0].kind() && address.match(range as never);
    };
  }
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)|)(?::(\d+))?$/.exec(entry) ?? [];
  const name = bracketed ?? plain ?? entry;
  const isPort = (used: string) => port === undefined || port === used;
  const domain = name.startsWith('*.') ? name.slice(1) : name.startsWith('.') ? name : null;
  if (domain !== null) return (host, used) => isPort(used) && (host.endsWith(domain) || host === domain.slice(1));
  return (host, used) => isPort(used) && host === name;
}

/** What the environment of an agent says of proxies, as most programs read it. Lower case comes first. */
export function proxyOfEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  protocol: string,
): { readonly url: string | null; readonly noProxy: readonly string[] } {
  const read = (name: string) => environment[name] || environment[name.toUpperCase()] || null;
  const url = read(`${protocol.replace(':', '')}_proxy`) ?? read('all_proxy');
  return { url, noProxy: (read('no_proxy') ?? '').split(/[,\s]+/) };
}
