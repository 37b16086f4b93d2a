import { existsSync } from 'node:fs';
import type { RunnerNode } from '@gantry/plugin-kit/runner';
import type Docker from 'dockerode';
import { ImagePulls } from './image-pulls.ts';
import { settingsOf, type DockerSettings } from './settings.ts';
import { Turns } from './turns.ts';

/** An engine, and what the node's operator allows with it. */
export interface Engine {
  readonly docker: Docker;
  readonly pulls: ImagePulls;
  /** Whose turn it is to make and start a container: an engine that is asked for too many is slow for all of them. */
  readonly starts: Turns;
  /** Containers whose attempts have ended and that could not be removed, by id: they are removed when that can be done. */
  readonly abandoned: Set<string>;
  /** Attempts that have ended, and whether their containers stay when they are forgotten. */
  readonly ended: Map<string, 'REMOVE' | 'STAY'>;
  /** When this agent began to use it. Milliseconds, of the monotonic clock. */
  readonly usedSince: number;
  readonly settings: DockerSettings;
  /** The path of its socket on this node; null when it is reached otherwise. */
  readonly socket: string | null;
  /** Marks the containers of this node's agent. */
  readonly nodeLabel: string;
}

const engines = new WeakMap<RunnerNode, Engine>();

/** The engine of a node. Connects with the first request; the client is loaded when somebody needs one. */
export async function engineOf(node: RunnerNode): Promise<Engine> {
  const settings = settingsOf(node.settings);
  const { default: Client } = await import('dockerode');
  // Looked up after the only pause: who asks at the same time gets the same one.
  const known = engines.get(node);
  if (known) return known;
  const { host } = settings;
  const socket = socketOf(host);
  const docker = socket === null ? new Client(tcpOptions(host)) : new Client({ socketPath: socket });
  const nodeLabel = `${node.name}:${node.stateDirectory}`;
  const starts = new Turns(settings.startsAtOnce);
  const pulls = new ImagePulls(docker);
  const engine: Engine = {
    docker,
    pulls,
    starts,
    abandoned: new Set(),
    ended: new Map(),
    usedSince: performance.now(),
    settings,
    socket,
    nodeLabel,
  };
  engines.set(node, engine);
  return engine;
}

const socketOf = (host: string): string | null => (host.startsWith('unix://') ? host.slice('unix://'.length) : null);

/** The socket that should be there and is not; null otherwise. To be asked before anything is loaded. */
export function missingSocket({ settings }: RunnerNode): string | null {
  const socket = socketOf(settingsOf(settings).host);
  return socket !== null && !existsSync(socket) ? socket : null;
}

function tcpOptions(host: string): { readonly host: string; readonly port: number; readonly protocol: 'http' } {
  const { hostname, port } = new URL(host);
  return { host: hostname, port: Number(port || 2375), protocol: 'http' };
}
