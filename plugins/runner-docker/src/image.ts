import type { Attempt } from '@gantry/plugin-kit/runner';
import type { DockerConfig } from './config.ts';
import type { Engine } from './engine.ts';
import { DockerFailure, statusOf } from './failure.ts';
import { parseImageReference } from './image-reference.ts';
import { notAnImage, pullFailure } from './pull-failure.ts';
import { credentialsFor } from './registry-credentials.ts';

/**
 * Sees that the node has the image, as the task's policy says; the progress of a pull is the attempt's. Comes back
 * without it when the attempt is stopped meanwhile.
 */
export async function provideImage(attempt: Attempt<DockerConfig>, engine: Engine): Promise<void> {
  const { image, pull } = attempt.config;
  const reference = parseImageReference(image);
  if (typeof reference === 'string') throw notAnImage(image, reference);
  if (pull !== 'always' && (await isThere(image, engine))) return;
  if (pull === 'never') {
    const message = `The node does not have the image ${image}, and the task says never to pull it.`;
    throw new DockerFailure('APPLICATION', 'IMAGE_MISSING', message, 'Load it on the node, or let pull be missing.');
  }
  if (reference.isId) {
    const message = `The node does not have an image with the ID ${image}, and no registry knows images by it.`;
    throw new DockerFailure('APPLICATION', 'IMAGE_MISSING', message, 'Name the image, with its digest or tag.');
  }
  const credentials = credentialsFor(attempt.config, engine.settings);
  const progress = (fraction: number) => attempt.progress(fraction, `pulling ${image}`);
  try {
    await engine.pulls.pull(reference.pullName, credentials, { signal: attempt.stop, progress });
    attempt.progress(1, `pulled ${image}`);
  } catch (error) {
    if (!attempt.stop.aborted) throw pullFailure(image, error, credentials);
  }
}

async function isThere(image: string, { docker }: Engine): Promise<boolean> {
  try {
    await docker.getImage(image).inspect();
    return true;
  } catch (error) {
    if (statusOf(error) === 404) return false;
    throw error;
  }
}
