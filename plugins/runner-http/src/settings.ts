import { readFileSync } from 'node:fs';
import type { RunnerNode } from '@gantry/plugin-kit/runner';
import * as z from 'zod';
import { AddressRules } from './address-rules.ts';
import { areCertificates } from './pem.ts';
import { NoProxy, proxyOf, proxyOfEnvironment, type Proxy } from './proxy.ts';

const path = z.string().min(1).max(4_096).startsWith('/', 'must be an absolute path');

/** A host name, or `*.` and a domain: any host below it. Lower case, as URLs have them. */
const hostPattern = z
  .string()
  .regex(/^(\*\.)?[a-z0-9.:[\]-]+$/, 'must be a host such as api.example.com, or *.example.com, in lower case');

const certificate = z.strictObject({
  certificateFile: path.describe('PEM: the certificate, then those that it is signed by.'),
  keyFile: path.describe('PEM: its private key.'),
  passphraseFile: path.optional().describe('What opens the key; a newline at the end is left out.'),
  hosts: z.array(hostPattern).min(1).describe('Who may be shown it. Nobody else is, whatever a task says.'),
});

/** `host:port`; an IPv6 address in brackets. */
const LISTEN = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/;

const callback = z
  .strictObject({
    listen: z.string().regex(LISTEN, 'must be host:port, such as 0.0.0.0:4080 or [::]:4080'),
    url: z
      .url({ protocol: /^https?$/ })
      .refine((url) => !/[?#]/.test(url), 'must not hold ? or #')
      .describe('How jobs reach that port: what a proxy in between is known as.'),
    certificateFile: path.optional().describe('PEM; with keyFile, the port speaks https.'),
    keyFile: path.optional(),
  })
  .refine(({ certificateFile, keyFile }) => (certificateFile === undefined) === (keyFile === undefined), {
    error: 'needs both certificateFile and keyFile, or neither',
  })
  .describe('Where jobs may call back. Without it there is no port.');

const proxy = z
  .union([
    z.literal('environment').describe('As the variables HTTP_PROXY, HTTPS_PROXY and NO_PROXY of the agent say.'),
    z.string().min(1).max(2_048).describe('http://host:port'),
    z.strictObject({
      url: z.string().min(1).max(2_048).describe('http://host:port'),
      username: z.string().min(1).optional(),
      passwordFile: path.optional().describe('What goes with username; a newline at the end is left out.'),
      resolve: z
        .enum(['node', 'proxy'])
        .default('node')
        .describe('Who looks names up. The node checks each address that it finds; else that is the proxy’s to do.'),
    }),
  ])
  .describe('Through which requests go. Without it the environment is not looked at.');

/** What the node's operator writes for this runner. */
export const httpSettings = z.looseObject({
  allow: z.array(z.string()).default([]).describe('Address ranges that may be reached beside the public ones.'),
  allowInsecure: z.boolean().default(false).describe('Whether a task may say `tls.insecure`.'),
  caFile: path.optional().describe('PEM: authorities that every task trusts, beside those that Node knows.'),
  certificates: z
    .record(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/), certificate)
    .default({})
    .describe('Client certificates, by the name that tasks know them by.'),
  callback: callback.optional(),
  proxy: proxy.optional(),
  noProxy: z
    .array(z.string().min(1))
    .default([])
    .describe('Hosts that are reached without the proxy: host, host:port, *.domain, addresses, ranges.'),
});

/** A client certificate as TLS wants it. */
export interface ClientCertificate {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly passphrase?: string;
}

/** The port that jobs call back to. */
export interface CallbackSettings {
  /** `host:port` as it was written, for messages. */
  readonly listen: string;
  readonly host: string;
  readonly port: number;
  /** How jobs reach it. */
  readonly url: string;
  /** Reads the certificate and key, when https is to be spoken. Throws BadSettings. */
  readonly tls: (() => Pick<ClientCertificate, 'cert' | 'key'>) | null;
}

/** The node's settings are not what they should be, or name a file that cannot be read: the operator's to mend. */
export class BadSettings extends Error {
  override readonly name = 'BadSettings';
}

/** What a node lets this runner do. One object per node: connections are kept by it. */
export class NodeRules {
  readonly addresses: AddressRules;
  /** Whether a task may leave a server's certificate unchecked. */
  readonly allowsInsecure: boolean;
  /** Null when jobs cannot call back. */
  readonly callback: CallbackSettings | null;
  readonly #settings: z.output<typeof httpSettings>;
  readonly #certificates = new Map<string, ClientCertificate>();
  #authorities: string | null = null;
  readonly #proxies = new Map<string, Proxy | null>();
  readonly #noProxy: NoProxy;

  /** Throws BadSettings. */
  constructor(node: Pick<RunnerNode, 'settings'>) {
    const parsed = httpSettings.safeParse(node.settings);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw new BadSettings(`runners.http.${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is not valid'}`);
    }
    this.#settings = parsed.data;
    this.allowsInsecure = parsed.data.allowInsecure;
    this.callback = callbackOf(parsed.data.callback);
    this.#noProxy = noProxyOf(parsed.data);
    for (const protocol of ['http:', 'https:']) this.#proxies.set(protocol, proxyFor(parsed.data, protocol));
    try {
      this.addresses = new AddressRules(parsed.data.allow);
    } catch (error) {
      throw new BadSettings(`runners.http.allow: ${(error as Error).message}`);
    }
  }

  /** Through whom a request goes; null for nobody. */
  proxyFor(url: URL): Proxy | null {
    const known = this.#proxies.get(url.protocol) ?? null;
    return known === null || this.#noProxy.includes(url) ? null : known;
  }

  /** The names of the client certificates, for messages. */
  get certificateNames(): readonly string[] {
    return Object.keys(this.#settings.certificates);
  }

  /** PEM of the authorities that the node adds; null when it adds none. Read once. Throws BadSettings. */
  get authorities(): string | null {
    const { caFile } = this.#settings;
    if (caFile === undefined) return null;
    if (this.#authorities === null) {
      const pem = read('caFile', caFile).toString();
      if (!areCertificates(pem)) throw new BadSettings(`runners.http.caFile: ${caFile} holds no PEM certificates`);
      this.#authorities = pem;
    }
    return this.#authorities;
  }

  /** Whether a client certificate may be shown to a host; null when there is none of that name. */
  mayShow(name: string, host: string): boolean | null {
    if (!Object.hasOwn(this.#settings.certificates, name)) return null;
    return this.#settings.certificates[name]!.hosts.some((pattern) =>
      pattern.startsWith('*.') ? host.endsWith(pattern.slice(1)) : host === pattern,
    );
  }

  /** A client certificate that exists. Read once, when it is first wanted. Throws BadSettings. */
  certificate(name: string): ClientCertificate {
    let known = this.#certificates.get(name);
    if (!known) {
      const { certificateFile, keyFile, passphraseFile } = this.#settings.certificates[name]!;
      const at = `certificates.${name}`;
      const cert = read(`${at}.certificateFile`, certificateFile);
      const key = read(`${at}.keyFile`, keyFile);
      const passphrase =
        passphraseFile === undefined
          ? undefined
          : read(`${at}.passphraseFile`, passphraseFile)
              .toString()
              .replace(/\r?\n$/, '');
      known = { cert, key, ...(passphrase === undefined ? {} : { passphrase }) };
      this.#certificates.set(name, known);
    }
    return known;
  }
}

const rulesByNode = new WeakMap<RunnerNode, NodeRules>();

/** The rules of a node, made once. Throws BadSettings. */
export function rulesOf(node: RunnerNode): NodeRules {
  let rules = rulesByNode.get(node);
  if (!rules) {
    rules = new NodeRules(node);
    rulesByNode.set(node, rules);
  }
  return rules;
}

type HttpSettings = z.output<typeof httpSettings>;

function noProxyOf({ proxy: given, noProxy }: HttpSettings): NoProxy {
  const ofEnvironment = given === 'environment' ? proxyOfEnvironment(process.env, 'http:').noProxy : [];
  return new NoProxy([...noProxy, ...ofEnvironment]);
}

function proxyFor({ proxy: given }: HttpSettings, protocol: string): Proxy | null {
  if (given === undefined) return null;
  try {
    if (given === 'environment') {
      const { url } = proxyOfEnvironment(process.env, protocol);
      return url === null ? null : proxyOf({ url, looksUp: false });
    }
    if (typeof given === 'string') return proxyOf({ url: given, looksUp: false });
    const { url, username, passwordFile, resolve } = given;
    const password =
      passwordFile === undefined
        ? undefined
        : read('proxy.passwordFile', passwordFile)
            .toString()
            .replace(/\r?\n$/, '');
    return proxyOf({ url, username, password, looksUp: resolve === 'proxy' });
  } catch (error) {
    if (error instanceof BadSettings) throw error;
    throw new BadSettings(`runners.http.proxy: ${(error as Error).message}`);
  }
}

function callbackOf(given: z.output<typeof callback> | undefined): CallbackSettings | null {
  if (given === undefined) return null;
  const { listen, url, certificateFile, keyFile } = given;
  const [, v6, name, port] = LISTEN.exec(listen)!;
  if (Number(port) < 1 || Number(port) > 65_535)
    throw new BadSettings(`runners.http.callback.listen: ${port} is no port`);
  const tls =
    certificateFile === undefined || keyFile === undefined
      ? null
      : () => ({ cert: read('callback.certificateFile', certificateFile), key: read('callback.keyFile', keyFile) });
  return { listen, host: v6 ?? name!, port: Number(port), url, tls };
}

function read(setting: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new BadSettings(`runners.http.${setting}: ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
