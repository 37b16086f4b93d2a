/** A reference to an image, in its parts. */
export interface ImageReference {
  /** The registry's host, with its port; `docker.io` where the reference names none. */
  readonly registry: string;
  /** What the engine is asked to pull: with a tag or digest, because it would pull all tags without one. */
  readonly pullName: string;
  /** Whether it is the ID of an image on the node, which no registry knows. */
  readonly isId: boolean;
}

/** Docker's own registry: the name that images have for it. */
export const DOCKER_HUB = 'docker.io';
/** The longest name, registry included and tag left out. Characters. */
const MAX_NAME = 255;

// The grammar of the distribution project (reference/regexp.go), which Docker and Podman both read names with.
const HOST_PART = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const HOST = new RegExp(`^(?:${HOST_PART}(?:\\.${HOST_PART})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const PATH_PART = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;
const SHA256 = /^sha256:[0-9a-f]{64}$/;
const ID = /^(?:sha256:)?[0-9a-f]{64}$/;

/** Reads a reference to an image; a sentence without its subject where it is none: “has …”. */
export function parseImageReference(text: string): ImageReference | string {
  if (ID.test(text)) return { registry: DOCKER_HUB, pullName: text, isId: true };
  if (/\s/.test(text)) return 'has a blank in it';
  if (/^[a-z]+:\/\//i.test(text)) return 'is a URL: leave out what is before the host';
  const [named = '', digest, ...more] = text.split('@');
  if (more.length > 0) return 'has more than one @';
  if (digest !== undefined && !DIGEST.test(digest)) return `has no digest after @, such as sha256:… with 64 hex digits`;
  if (digest?.startsWith('sha256:') && !SHA256.test(digest)) return 'has a digest without the 64 hex digits of SHA-256';
  // A colon behind the last slash begins a tag; one before it, the port of a registry.
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  const name = colon < 0 ? named : named.slice(0, colon);
  const tag = colon < 0 ? null : named.slice(colon + 1);
  if (tag !== null && !TAG.test(tag))
    return `has the tag "${tag}": letters, digits, “_”, “.” and “-” make one, at most 128`;
  if (name.length > MAX_NAME) return `has a name of more than ${MAX_NAME} characters`;
  const parts = name.split('/');
  const hasHost = parts.length > 1 && isHost(parts[0]!);
  const registry = hasHost ? parts.shift()! : DOCKER_HUB;
  if (!HOST.test(registry)) return `has the registry "${registry}", which is no host`;
  const wrong = parts.find((part) => !PATH_PART.test(part));
  if (wrong !== undefined) return wordsOn(wrong);
  const pullName = tag === null && digest === undefined ? `${text}:latest` : text;
  return { registry: registry === 'index.docker.io' ? DOCKER_HUB : registry, pullName, isId: false };
}

/** Whether the first part of a name is a registry: all else is a part of the path at Docker's own. */
const isHost = (part: string): boolean => part === 'localhost' || /[.:]/.test(part) || part.toLowerCase() !== part;

function wordsOn(part: string): string {
  if (part === '') return 'has an empty part between its slashes';
  if (part.toLowerCase() !== part) return `has “${part}”: its name must be in lower case`;
  return `has “${part}”, which is no part of a name: lower-case letters and digits, with “.”, “_”, “__” or “-” in between`;
}
