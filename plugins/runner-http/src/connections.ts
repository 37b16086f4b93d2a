import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { createSecureContext } from 'node:tls';
import type { NodeRules } from './settings.ts';
import { BadTls, checkTls, tlsOptions, type TlsConfig } from './tls.ts';

/** Connections are kept open between attempts: a new one costs more than the request. */
const KEPT = { keepAlive: true, maxSockets: 256, scheduling: 'lifo' } as const;
/** A task may put an expression into its TLS options: no more kinds of connection than this are kept. */
const MAX_TLS_KINDS = 64;

/** The connections of one node. One was checked by the rules that it was made under, and serves no others. */
interface Pool {
  readonly http: HttpAgent;
  /** By what was asked of TLS: a connection without a certificate serves nobody who shows one. Oldest first. */
  readonly https: Map<string, HttpsAgent>;
}
const pools = new Map<NodeRules, Pool>();

/**
 * The agent that holds the connections for a request.
 *
 * @param tls What the task asks of TLS; undefined for nothing, and for http. Throws TlsRefused, BadTls and BadSettings.
 */
export function agentFor(url: URL, tls: TlsConfig | undefined, host: string, rules: NodeRules): HttpAgent | HttpsAgent {
  let pool = pools.get(rules);
  if (!pool) {
    pool = { http: new HttpAgent(KEPT), https: new Map() };
    pools.set(rules, pool);
  }
  if (url.protocol === 'http:') return pool.http;
  if (tls !== undefined) checkTls(tls, host, rules);
  const kind = tls === undefined ? '' : JSON.stringify(tls);
  let agent = pool.https.get(kind);
  if (!agent) {
    const { ca, cert, key, passphrase, minVersion, ...perConnection } = tlsOptions(tls, rules);
    // A context of its own: Node would compare the authorities, 200 KB of text, for each request.
    const secureContext = contextOf({ ca, cert, key, passphrase, minVersion });
    agent = new HttpsAgent({ ...KEPT, ...perConnection, secureContext });
    pool.https.set(kind, agent);
    if (pool.https.size > MAX_TLS_KINDS) retireOldest(pool.https);
  }
  return agent;
}

/** Closes the kept connections. */
export function closeConnections(): void {
  for (const { http, https } of pools.values()) {
    http.destroy();
    for (const agent of https.values()) agent.destroy();
  }
}

function contextOf(options: Parameters<typeof createSecureContext>[0]) {
  try {
    return createSecureContext(options);
  } catch (error) {
    throw new BadTls((error as Error).message);
  }
}

function retireOldest(agents: Map<string, HttpsAgent>): void {
  const [kind, agent] = agents.entries().next().value!;
  agents.delete(kind);
  // What is in use is used up, and closed then.
  agent.maxFreeSockets = 0;
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
}
