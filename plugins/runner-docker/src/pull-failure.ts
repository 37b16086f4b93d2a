import { DockerFailure, isUnreachable, messageOf } from './failure.ts';
import { DOCKER_HUB, parseImageReference } from './image-reference.ts';
import type { Credentials } from './registry-credentials.ts';

/** What stands where a password was, should anybody have repeated it. */
const MASK = '***';

interface Kind {
  readonly said: RegExp;
  readonly failure: (image: string, message: string, credentials: Credentials | null) => DockerFailure;
}

/** Looked through in this order: what a registry says of a stranger's image may hold words of the next ones. */
const KINDS: readonly Kind[] = [
  {
    said: /invalid reference format|repository name must be|invalid (tag|repository) |normalizing (image|name)|no host in request url/i,
    failure: notAnImage,
  },
  {
    said: /unsupported media type|mediatype in manifest should be|invalid rootfs in image/i,
    failure: (image, message) =>
      new DockerFailure(
        'APPLICATION',
        'IMAGE_INVALID',
        `${image} is no image that a container can be made of: ${message}`,
        'Is it a chart, or a list of something else?',
      ),
  },
  {
    said: /no matching manifest|does not match the specified platform|no image found .* for (architecture|os)/i,
    failure: (image, message) =>
      new DockerFailure('REJECTED', 'IMAGE_PLATFORM', `The image ${image} is not for nodes of this kind: ${message}`),
  },
  {
    said: /unauthorized|authentication required|no basic auth|denied|forbidden|incorrect username or password/i,
    failure: denied,
  },
  {
    said: /not found|manifest unknown|name unknown|does not exist/i,
    failure: (image, message) =>
      new DockerFailure(
        'APPLICATION',
        'IMAGE_MISSING',
        `The registry does not have the image ${image}: ${message}`,
        'Are its name and its tag right?',
      ),
  },
  {
    said: /toomanyrequests|too many requests|rate limit/i,
    failure: (image, message) =>
      new DockerFailure(
        'INFRASTRUCTURE',
        'REGISTRY_BUSY',
        `The registry of ${image} wants to be asked less often: ${message}`,
        'Pull with credentials, or let `pull` be missing.',
      ),
  },
  {
    said: /no such host/i,
    failure: unknownHost,
  },
  {
    said: /dial tcp|connection re(fused|set)|timeout|deadline exceeded|\bEOF\b|x509|tls: |http response to https|unexpected http status: 5|service unavailable|bad gateway/i,
    failure: (image, message) =>
      new DockerFailure(
        'INFRASTRUCTURE',
        'REGISTRY_UNREACHABLE',
        `The registry of ${image} cannot be reached from the node: ${message}`,
        'Is the registry up, and may the node’s engine reach it?',
      ),
  },
];

/** What it means that an image could not be pulled. What is the engine's own fault, and not the registry's, stays that. */
export function pullFailure(image: string, error: unknown, credentials: Credentials | null): unknown {
  if (error instanceof DockerFailure || isUnreachable(error)) return error;
  const said = messageOf(error);
  if (/no space left on device|disk quota exceeded/i.test(said)) return error;
  const message = credentials === null ? said : said.replaceAll(credentials.password, MASK);
  const kind = KINDS.find(({ said: pattern }) => pattern.test(message));
  if (kind) return kind.failure(image, message, credentials);
  return new DockerFailure('INFRASTRUCTURE', 'PULL_FAILED', `The image ${image} could not be pulled: ${message}`);
}

/** What is no name of an image, for any engine. @param why What is wrong with it, or what the engine says of it. */
export function notAnImage(image: string, why: string): DockerFailure {
  const message = `“${image}” is no name of an image: ${/^(has|is) /.test(why) ? `it ${why}` : why}.`;
  return new DockerFailure(
    'APPLICATION',
    'IMAGE_INVALID',
    message,
    'Write `image` as registry/name:tag or name@digest.',
  );
}

/** A registry that the task itself names is its mistake; without a name server even Docker's own does not exist. */
function unknownHost(image: string, message: string): DockerFailure {
  const reference = parseImageReference(image);
  const registry = typeof reference === 'string' ? DOCKER_HUB : reference.registry;
  if (registry === DOCKER_HUB)
    return new DockerFailure(
      'INFRASTRUCTURE',
      'REGISTRY_UNREACHABLE',
      `The registry of ${image} cannot be reached from the node: ${message}`,
      'May the node’s engine reach the registry, and its name server?',
    );
  return new DockerFailure(
    'APPLICATION',
    'REGISTRY_UNKNOWN',
    `There is no registry ${registry}, which ${image} names: ${message}`,
    'Is the host in `image` right?',
  );
}

/** Registries say the same of an image that is not there and of one that is not for everybody. */
function denied(image: string, message: string, credentials: Credentials | null): DockerFailure {
  const what = `The registry does not hand out the image ${image}`;
  if (credentials === null) {
    const remedy = 'Is its name right? Then give `credentials`, with the password as a secret.';
    return new DockerFailure('APPLICATION', 'PULL_DENIED', `${what} without credentials: ${message}`, remedy);
  }
  const { username, isOfNode } = credentials;
  // The operator's mistake, and not the task's; another node may know better ones.
  return isOfNode
    ? new DockerFailure(
        'REJECTED',
        'PULL_DENIED',
        `${what} to ${username}, whom the node’s settings name: ${message}`,
        'See `registries` in the node’s settings, and passwordFile.',
      )
    : new DockerFailure(
        'APPLICATION',
        'PULL_DENIED',
        `${what} to ${username}: ${message}`,
        'Are the name of the image, the username and the secret right?',
      );
}
