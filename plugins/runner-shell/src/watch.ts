/** Something that wants to be looked at while it runs. */
export interface Watched {
  readonly startedAt: number;
  /** True when there was something to see: it is looked at again soon. */
  look(now: number): boolean;
}

const SHORTEST_MS = 5;
const LONGEST_MS = 200;

/** One timer for all running commands: often while they print, seldom while they are silent. */
export class Watch {
  readonly #watched = new Map<Watched, { dueAt: number; everyMs: number }>();
  #timer: NodeJS.Timeout | null = null;

  add(watched: Watched): void {
    this.#watched.set(watched, { dueAt: performance.now() + SHORTEST_MS, everyMs: SHORTEST_MS });
    this.#timer ??= setInterval(() => this.#look(), SHORTEST_MS);
  }

  remove(watched: Watched): void {
    this.#watched.delete(watched);
    if (this.#watched.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Looks at none any more. */
  clear(): void {
    for (const watched of this.#watched.keys()) this.remove(watched);
  }

  #look(): void {
    const now = performance.now();
    for (const [watched, state] of this.#watched) {
      if (state.dueAt > now) continue;
      state.everyMs = watched.look(now) ? SHORTEST_MS : Math.min(state.everyMs * 2, LONGEST_MS);
      state.dueAt = now + state.everyMs;
    }
  }
}
