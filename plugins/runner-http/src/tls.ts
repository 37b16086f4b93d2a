import { getCACertificates, type ConnectionOptions } from 'node:tls';
import type { HttpConfig } from './config.ts';
import type { NodeRules } from './settings.ts';

export type TlsConfig = NonNullable<HttpConfig['tls']>;

/** What a task asks of TLS is not the node's to give. */
export class TlsRefused extends Error {
  override readonly name = 'TlsRefused';
  readonly code: 'INSECURE_NOT_ALLOWED' | 'CERTIFICATE_UNKNOWN' | 'CERTIFICATE_NOT_ALLOWED';
  /** What would change it. */
  readonly remedy: string;
  constructor(code: TlsRefused['code'], message: string, remedy: string) {
    super(message);
    this.code = code;
    this.remedy = remedy;
  }
}

/** Certificates that are none, or a key that does not fit. */
export class BadTls extends Error {
  override readonly name = 'BadTls';
  readonly code = 'BAD_TLS';
}

/** What Node needs to make a connection as the node and the task want it. */
export type TlsOptions = Pick<
  ConnectionOptions,
  'ca' | 'cert' | 'key' | 'passphrase' | 'servername' | 'minVersion' | 'rejectUnauthorized'
>;

/** Whether the node gives what a task asks of TLS for a connection to a host. Throws TlsRefused when it does not. */
export function checkTls(config: TlsConfig, host: string, rules: NodeRules): void {
  if (config.insecure && !rules.allowsInsecure) {
    throw new TlsRefused(
      'INSECURE_NOT_ALLOWED',
      'tls.insecure is not allowed on this node.',
      'Give the server’s authority as tls.ca; the node’s operator may allow it: runners.http.allowInsecure.',
    );
  }
  if (config.certificate !== undefined) checkCertificate(config.certificate, host, rules);
}

/**
 * TLS options for connections that were checked. Authorities of the task or the node come in addition to those that Node
 * knows. Throws BadSettings when a file of the node cannot be read.
 */
export function tlsOptions(config: TlsConfig | undefined, rules: NodeRules): TlsOptions {
  const options: TlsOptions = {};
  const added = [rules.authorities, config?.ca].filter((pem) => typeof pem === 'string');
  if (added.length > 0) options.ca = [...getCACertificates('default'), ...added];
  if (config === undefined) return options;
  if (config.minVersion !== undefined) options.minVersion = config.minVersion;
  if (config.serverName !== undefined) options.servername = config.serverName;
  if (config.insecure) options.rejectUnauthorized = false;
  if (config.certificate !== undefined) Object.assign(options, rules.certificate(config.certificate));
  return options;
}

function checkCertificate(name: string, host: string, rules: NodeRules): void {
  const mayShow = rules.mayShow(name, host);
  if (mayShow === null) {
    const known = rules.certificateNames;
    throw new TlsRefused(
      'CERTIFICATE_UNKNOWN',
      `This node has no certificate ${name}.`,
      known.length > 0 ? `It has: ${known.join(', ')}.` : 'The node’s operator adds it: runners.http.certificates.',
    );
  }
  if (!mayShow) {
    throw new TlsRefused(
      'CERTIFICATE_NOT_ALLOWED',
      `The certificate ${name} may not be shown to ${host}.`,
      `The node’s operator says to whom: runners.http.certificates.${name}.hosts.`,
    );
  }
}
