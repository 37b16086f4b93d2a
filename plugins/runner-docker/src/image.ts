import { readFileSync } from 'node:fs';
import type { Attempt } from '@gantry/plugin-kit/runner';
import type { DockerConfig, DockerSettings } from './config.ts';
import type { Engine } from './engine.ts';
import { DockerFailure, messageOf, statusOf } from './failure.ts';

/** Sees that the node has the image, as the task's policy says. Pulling can be stopped; its progress is the attempt's. */
export async function provideImage(attempt: Attempt<DockerConfig>, { docker, settings }: Engine): Promise<void> {
  const { image, pull } = attempt.config;
  if (pull !== 'always') {
    const isThere = await docker
      .getImage(image)
      .inspect()
      .then(
        () => true,
        (error: unknown) => {
          if (statusOf(error) === 404) return false;
          throw error;
        },
      );
    if (isThere) return;
    if (pull === 'never') {
      const message = `The node does not have the image ${image}, and the task says never to pull it.`;
      throw new DockerFailure('APPLICATION', 'IMAGE_MISSING', message, 'Load it on the node, or let pull be missing.');
    }
  }
  await pullImage(attempt, docker, credentialsFor(image, settings));
}

interface PullEvent {
  readonly id?: string;
  readonly error?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
}

async function pullImage(
  attempt: Attempt<DockerConfig>,
  docker: Engine['docker'],
  authconfig: { readonly username: string; readonly password: string } | null,
): Promise<void> {
  const { image } = attempt.config;
  let stream: NodeJS.ReadableStream;
  try {
    stream = await docker.pull(taggedName(image), authconfig === null ? {} : { authconfig });
  } catch (error) {
    throw pullFailure(image, error);
  }
  const abort = () => (stream as NodeJS.ReadableStream & { destroy(): void }).destroy();
  attempt.stop.addEventListener('abort', abort, { once: true });
  const layers = new Map<string, { readonly current: number; readonly total: number }>();
  try {
    await new Promise<void>((resolve, reject) => {
      docker.modem.followProgress(
        stream,
        (error) => (error ? reject(error) : resolve()),
        ({ id, error, progressDetail }: PullEvent) => {
          if (error !== undefined) reject(new Error(error));
          const { current, total } = progressDetail ?? {};
          if (id === undefined || current === undefined || !total) return;
          layers.set(id, { current, total });
          const all = [...layers.values()];
          const done = all.reduce((sum, layer) => sum + layer.current, 0);
          attempt.progress(done / all.reduce((sum, layer) => sum + layer.total, 0), `pulling ${image}`);
        },
      );
      stream.once('close', () => reject(new Error('The pull was broken off.')));
    });
  } catch (error) {
    if (!attempt.stop.aborted) throw pullFailure(image, error);
  } finally {
    attempt.stop.removeEventListener('abort', abort);
  }
}

/** Without a tag the engine would pull all there are. */
function taggedName(image: string): string {
  const last = image.slice(image.lastIndexOf('/') + 1);
  return last.includes(':') || last.includes('@') ? image : `${image}:latest`;
}

function pullFailure(image: string, error: unknown): DockerFailure {
  const message = messageOf(error);
  const isUnknown = statusOf(error) === 404 || /not found|manifest unknown|does not exist|denied/i.test(message);
  return isUnknown
    ? new DockerFailure(
        'APPLICATION',
        'IMAGE_MISSING',
        `The image ${image} cannot be had: ${message}`,
        'Is the name right, and may the node pull it?',
      )
    : new DockerFailure('INFRASTRUCTURE', 'PULL_FAILED', `The image ${image} could not be pulled: ${message}`);
}

/** The credentials of an image's registry; the password is read afresh, so that it may be changed. */
function credentialsFor(image: string, { registries }: DockerSettings) {
  const [first = ''] = image.split('/');
  const host = image.includes('/') && /[.:]|^localhost$/.test(first) ? first : 'docker.io';
  const registry = registries[host];
  if (registry === undefined) return null;
  try {
    return {
      username: registry.username,
      password: readFileSync(registry.passwordFile, 'utf8').trim(),
      serveraddress: host,
    };
  } catch (error) {
    const message = `The password for ${host} cannot be read on the node: ${messageOf(error)}`;
    throw new DockerFailure('INFRASTRUCTURE', 'NO_CREDENTIALS', message, 'See passwordFile in the node’s settings.');
  }
}
