import { lookup as systemLookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** An address that the rules keep the runner from. */
export class AddressNotAllowed extends Error {
  override readonly name = 'AddressNotAllowed';
  readonly code = 'ADDRESS_NOT_ALLOWED';
  constructor(host: string, address: string) {
    super(`${host} is ${address}, which is not a public address`);
  }
}

/** An operator's exception: an address range, for one port or for all. */
interface Exception {
  readonly range: [ipaddr.IPv4 | ipaddr.IPv6, number];
  readonly port: number | null;
}

/** Resolves names as `dns.lookup` does; handed in by tests. */
export type Lookup = (
  host: string,
  options: LookupOptions & { all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * Which addresses may be reached: public unicast ones, and what the node's operator has excepted. It is asked at the
 * moment of connecting, with the very address that is then used, so that a name cannot answer differently in between.
 */
export class AddressRules {
  readonly #exceptions: readonly Exception[];

  /** @param allow `10.0.0.0/8`, `127.0.0.1`, `127.0.0.1:4000`, `[::1]:4000`. Throws RangeError for anything else. */
  constructor(allow: readonly string[]) {
    this.#exceptions = allow.map(exceptionOf);
  }

  /** Whether an address may be connected to. Anything that is not plainly an address may not. */
  isAllowed(address: string, port: number): boolean {
    if (!ipaddr.isValid(address) || address.includes('%')) return false;
    const parsed = ipaddr.process(address);
    for (const { range, port: only } of this.#exceptions) {
      if ((only === null || only === port) && parsed.kind() === range[0].kind() && parsed.match(range as never))
        return true;
    }
    return parsed.range() === 'unicast';
  }

  /** A `lookup` for `http.request`: every answer must be allowed, or the name is refused. */
  lookup(port: number, resolve: Lookup = systemLookup as Lookup) {
    return (
      host: string,
      options: LookupOptions,
      callback: (error: Error | null, address: string | LookupAddress[], family?: number) => void,
    ): void => {
      resolve(host, { ...options, all: true }, (error, addresses) => {
        if (error) return callback(error, '');
        const bad = addresses.find(({ address }) => !this.isAllowed(address, port));
        if (bad) return callback(new AddressNotAllowed(host, bad.address), '');
        if (options.all) return callback(null, addresses);
        const [first] = addresses;
        if (!first) return callback(new Error(`${host} has no address`), '');
        callback(null, first.address, first.family);
      });
    };
  }

  /** Throws AddressNotAllowed for a host that is itself a forbidden address: such a one is never looked up. */
  checkLiteral(host: string, port: number): void {
    const bare = host.startsWith('[') ? host.slice(1, -1) : host;
    if (isIP(bare) !== 0 && !this.isAllowed(bare, port)) throw new AddressNotAllowed(host, bare);
  }
}

/** `address[/bits]`, then `:port` if any. An IPv6 address stands in brackets when a port follows it. */
const EXCEPTION = /^(?:\[([^\]]+)\]|([\d.]+)(?=[/:]|$)|([\da-fA-F:.]+))(?:\/(\d{1,3}))?(?::(\d{1,5}))?$/;

function exceptionOf(text: string): Exception {
  const [, bracketed, v4, bare, bitsText, portText] = EXCEPTION.exec(text) ?? [];
  const address = bracketed ?? v4 ?? bare;
  if (address === undefined || !ipaddr.isValid(address)) {
    throw new RangeError(`"${text}" is no address range: write 10.0.0.0/8, 127.0.0.1, 127.0.0.1:4000 or [::1]:4000.`);
  }
  const parsed = ipaddr.process(address);
  const most = parsed.kind() === 'ipv4' ? 32 : 128;
  const bits = bitsText === undefined ? most : Number(bitsText);
  const port = portText === undefined ? null : Number(portText);
  if (bits > most) throw new RangeError(`"${text}" is no address range: it has at most ${most} bits.`);
  if (port !== null && port > 65_535) throw new RangeError(`"${text}" is no address range: ${port} is no port.`);
  return { range: [parsed, bits], port };
}
