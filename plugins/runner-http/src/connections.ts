import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { createSecureContext } from 'node:tls';
import type { Proxy } from './proxy.ts';
import type { NodeRules } from './settings.ts';
import { BadTls, checkTls, tlsOptions, type TlsConfig } from './tls.ts';

/** Connections are kept open between attempts: a new one costs more than the request. */
const KEPT = { keepAlive: true, maxSockets: 256, scheduling: 'lifo' } as const;
/** A task may put an expression into its TLS options: no more kinds of connection than this are kept. */
const MAX_TLS_KINDS = 64;

/** The connections of one node. One was checked by the rules that it was made under, and serves no others. */
interface Pool {
  readonly http: HttpAgent;
  /** By the proxy that they go through. */
  readonly proxied: Map<string, HttpAgent>;
  /** By what was asked of TLS: a connection without a certificate serves nobody who shows one. Oldest first. */
  readonly https: Map<string, HttpsAgent>;
}
const pools = new Map<NodeRules, Pool>();

/**
 * The agent that holds the connections for a request.
 *
 * @param proxy Through whom they go: https by a tunnel (CONNECT). Null for nobody.
 * @param tls What the task asks of TLS; undefined for nothing, and for http. Throws TlsRefused, BadTls and BadSettings.
 */
export function agentFor(
  url: URL,
  tls: TlsConfig | undefined,
  host: string,
  rules: NodeRules,
  proxy: Proxy | null = null,
): HttpAgent | HttpsAgent {
  let pool = pools.get(rules);
  if (!pool) {
    pool = { http: new HttpAgent(KEPT), proxied: new Map(), https: new Map() };
    pools.set(rules, pool);
  }
  if (url.protocol === 'http:') return proxy === null ? pool.http : proxied(pool, proxy);
  if (tls !== undefined) checkTls(tls, host, rules);
  const kind = `${proxy?.origin ?? ''}${tls === undefined ? '' : JSON.stringify(tls)}`;
  let agent = pool.https.get(kind);
  if (!agent) {
    const { ca, cert, key, passphrase, minVersion, ...perConnection } = tlsOptions(tls, rules);
    // A context of its own: Node would compare the authorities, 200 KB of text, for each request.
    const secureContext = contextOf({ ca, cert, key, passphrase, minVersion });
    agent = new HttpsAgent({ ...KEPT, ...perConnection, secureContext, ...through(proxy) });
    pool.https.set(kind, agent);
    if (pool.https.size > MAX_TLS_KINDS) retireOldest(pool.https);
  }
  return agent;
}

function proxied(pool: Pool, proxy: Proxy): HttpAgent {
  let agent = pool.proxied.get(proxy.origin);
  if (!agent) pool.proxied.set(proxy.origin, (agent = new HttpAgent({ ...KEPT, ...through(proxy) })));
  return agent;
}

/** Said explicitly: Node would look at no environment, nor do we. */
const through = (proxy: Proxy | null): { readonly proxyEnv?: Record<string, string> } =>
  proxy === null ? {} : { proxyEnv: { http_proxy: proxy.href, https_proxy: proxy.href } };

/** Closes the kept connections. */
export function closeConnections(): void {
  for (const { http, proxied: others, https } of pools.values()) {
    http.destroy();
    for (const agent of others.values()) agent.destroy();
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
