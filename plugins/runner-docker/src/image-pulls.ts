import type Docker from 'dockerode';
import { PullProgress, type PullEvent } from './pull-progress.ts';
import type { Credentials } from './registry-credentials.ts';

/** Who waits for a pull. */
export interface PullWaiter {
  /** Lets go of it; the pull itself is ended with the last who waits. */
  readonly signal: AbortSignal;
  /** From 0 to 1. */
  readonly progress: (fraction: number) => void;
}

/** The pulls of an engine that are under way: who wants what is being pulled already waits for that. */
export class ImagePulls {
  readonly #docker: Docker;
  readonly #running = new Map<string, ImagePull>();

  constructor(docker: Docker) {
    this.#docker = docker;
  }

  /**
   * Resolves when the engine has the image. Rejects with what the engine says, or with the signal's reason.
   *
   * @param image With its tag or digest: without one the engine would pull all there are.
   */
  async pull(image: string, credentials: Credentials | null, waiter: PullWaiter): Promise<void> {
    waiter.signal.throwIfAborted();
    // Who has other credentials must not have what these may.
    const key = JSON.stringify([image, credentials]);
    let pull = this.#running.get(key);
    if (pull === undefined) {
      const begun = new ImagePull(this.#docker, image, credentials);
      const forget = () => {
        if (this.#running.get(key) === begun) this.#running.delete(key);
      };
      begun.ended.then(forget, forget);
      begun.signal.addEventListener('abort', forget);
      this.#running.set(key, begun);
      pull = begun;
    }
    await pull.waitFor(waiter);
  }
}

/** One pull, for all who want the same. */
class ImagePull {
  readonly ended: Promise<void>;
  readonly #abort = new AbortController();
  readonly #progress = new PullProgress();
  readonly #waiters = new Set<PullWaiter>();

  constructor(docker: Docker, image: string, credentials: Credentials | null) {
    this.ended = this.#pull(docker, image, credentials);
  }

  /** Aborted when nobody waits any more. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  async waitFor(waiter: PullWaiter): Promise<void> {
    this.#waiters.add(waiter);
    // Only what is known to come: who tells of progress has begun, and could not be refused any more.
    if (this.#progress.hasBegun) waiter.progress(this.#progress.fraction);
    const { promise: letGo, reject } = Promise.withResolvers<never>();
    const onAbort = () => reject(waiter.signal.reason);
    waiter.signal.addEventListener('abort', onAbort, { once: true });
    try {
      await Promise.race([this.ended, letGo]);
    } finally {
      waiter.signal.removeEventListener('abort', onAbort);
      this.#waiters.delete(waiter);
      if (this.#waiters.size === 0) this.#abort.abort();
    }
  }

  async #pull(docker: Docker, image: string, credentials: Credentials | null): Promise<void> {
    const answer = await docker.pull(image, {
      abortSignal: this.#abort.signal,
      ...(credentials === null ? {} : { authconfig: authOf(credentials) }),
    });
    for await (const event of eventsOf(answer as AsyncIterable<Buffer>)) {
      if (event.error !== undefined) throw new Error(event.error);
      if (!this.#progress.note(event)) continue;
      for (const { progress } of this.#waiters) progress(this.#progress.fraction);
    }
  }
}

const authOf = ({ username, password, server }: Credentials) => ({ username, password, serveraddress: server });

/** The lines of an answer, each a JSON object. Throws when it is broken off. */
async function* eventsOf(answer: AsyncIterable<Buffer>): AsyncGenerator<PullEvent> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of answer) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop()!;
    for (const line of lines) if (line.trim() !== '') yield JSON.parse(line) as PullEvent;
  }
  if (rest.trim() !== '') yield JSON.parse(rest) as PullEvent;
}
