import { existsSync } from 'node:fs';
import type { RunnerNode } from '@gantry/plugin-kit/runner';
import type Docker from 'dockerode';
import { dockerSettings, type DockerSettings } from './config.ts';

/** An engine, and what the node's operator allows with it. */
export interface Engine {
  readonly docker: Docker;
  readonly settings: DockerSettings;
  /** The path of its socket on this node; null when it is reached otherwise. */
  readonly socket: string | null;
  /** Marks the containers of this node's agent. */
  readonly nodeLabel: string;
}

const SOCKET = '/var/run/docker.sock';
const engines = new WeakMap<RunnerNode, Engine>();

/** The engine of a node. Connects with the first request; the client is loaded when somebody needs one. */
export async function engineOf(node: RunnerNode): Promise<Engine> {
  const known = engines.get(node);
  if (known) return known;
  const settings = dockerSettings.parse(node.settings);
  const host = hostOf(settings);
  const socket = socketOf(host);
  const { default: Client } = await import('dockerode');
  const docker = socket === null ? new Client(tcpOptions(host)) : new Client({ socketPath: socket });
  const engine = { docker, settings, socket, nodeLabel: `${node.name}:${node.stateDirectory}` };
  engines.set(node, engine);
  return engine;
}

const hostOf = ({ host }: DockerSettings): string => host ?? process.env['DOCKER_HOST'] ?? `unix://${SOCKET}`;
const socketOf = (host: string): string | null => (host.startsWith('unix://') ? host.slice('unix://'.length) : null);

/** The socket that should be there and is not; null otherwise. To be asked before anything is loaded. */
export function missingSocket({ settings }: RunnerNode): string | null {
  const socket = socketOf(hostOf(dockerSettings.parse(settings)));
  return socket !== null && !existsSync(socket) ? socket : null;
}

function tcpOptions(host: string): { readonly host: string; readonly port: number; readonly protocol: 'http' } {
  const { hostname, port } = new URL(host);
  return { host: hostname, port: Number(port || 2375), protocol: 'http' };
}
