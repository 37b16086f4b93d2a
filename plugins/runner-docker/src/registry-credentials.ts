import { readFileSync } from 'node:fs';
import type { DockerConfig } from './config.ts';
import { DockerFailure, messageOf } from './failure.ts';
import { DOCKER_HUB, parseImageReference } from './image-reference.ts';
import type { DockerSettings } from './settings.ts';

/** With what an engine asks a registry. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
  /** The registry's host. */
  readonly server: string;
  /** Whether the node's settings have them, and not the task. */
  readonly isOfNode: boolean;
}

/** Docker's own registry has two names: DOCKER_HUB is for images, this one for its clients. */
const DOCKER_HUB_SERVER = 'https://index.docker.io/v1/';

/**
 * The credentials for an image: the task's, else the node's for its registry, else null. A password of the node's is
 * read afresh, so that it may be changed.
 */
export function credentialsFor(
  { image, credentials }: Pick<DockerConfig, 'image' | 'credentials'>,
  { registries }: Pick<DockerSettings, 'registries'>,
): Credentials | null {
  const reference = parseImageReference(image);
  const host = typeof reference === 'string' ? DOCKER_HUB : reference.registry;
  const server = host === DOCKER_HUB ? DOCKER_HUB_SERVER : host;
  if (credentials !== undefined) return { ...credentials, server, isOfNode: false };
  const registry = Object.hasOwn(registries, host) ? registries[host] : undefined;
  if (registry === undefined) return null;
  const { username, passwordFile } = registry;
  try {
    return { username, password: readFileSync(passwordFile, 'utf8').trim(), server, isOfNode: true };
  } catch (error) {
    const message = `The password for ${host} cannot be read on the node: ${messageOf(error)}`;
    throw new DockerFailure('REJECTED', 'NO_CREDENTIALS', message, 'See passwordFile in the node’s settings.');
  }
}
