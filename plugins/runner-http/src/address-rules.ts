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

function exceptionOf(text: string): Exception {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*?))(\/\d{1,3})?(?::(\d{1,5}))?$/.exec(text);
  const address = match?.[1] ?? match?.[2];
  if (!match || !address || !ipaddr.isValid(address)) {
    throw new RangeError(`"${text}" is no address range: write 10.0.0.0/8, 127.0.0.1 or 127.0.0.1:4000.`);
  }
  const parsed = ipaddr.process(address);
  const bits = match[3] ? Number(match[3].slice(1)) : parsed.kind() === 'ipv4' ? 32 : 128;
  if (bits > (parsed.kind() === 'ipv4' ? 32 : 128))
    throw new RangeError(`"${text}" is no address range: ${bits} bits are too many.`);
  return { range: [parsed, bits], port: match[4] ? Number(match[4]) : null };
}
