import { useEffect, useMemo, useSyncExternalStore } from 'react';
import { asFault, type Fault } from './fault.ts';
import type { Operation } from './operation.ts';
import { follow } from './socket.ts';

/** What a live view shows, and how it is kept true. `Data` may be changed in place. */
export interface LiveSource<Data, Event, Variables> {
  /** Reads all of it, through `askInOrder`. */
  readonly load: () => Promise<Data>;
  readonly feed: Operation<Event, Variables>;
  readonly variables: Variables;
  /** Null for what has no log. */
  readonly cursorOf: ((event: Event) => string) | null;
  /** Takes an event in. `false`: it cannot be taken in, read anew. */
  readonly apply: (data: Data, event: Event) => boolean | void;
  /** A second feed into the same view; ends when its answer is called. */
  readonly besides?: (view: BesideView<Data>) => () => void;
}

/** What a second feed may do with a view. */
export interface BesideView<Data> {
  /** Changes what is shown; waits while that is being read. */
  readonly take: (edit: (data: Data) => void) => void;
  /** Reads it anew. */
  readonly missed: () => void;
  readonly fault: (fault: Fault) => void;
}

/** What a live view knows at the moment. */
export interface Live<Data> {
  /** Null until it has been read for the first time. */
  readonly data: Data | null;
  readonly fault: Fault | null;
  /** Grows with every change, also where `data` was changed in place. */
  readonly revision: number;
  /** Reads it anew. */
  readonly reload: () => void;
  /** Changes it as an answer to a mutation says, before the event comes. */
  readonly change: (edit: (data: Data) => void) => void;
}

/** What changes often is shown at most ten times a second: drawing a long list takes its time, too. Milliseconds. */
const SHOW_MS = 100;

class LiveView<Data, Event, Variables extends object> {
  #source: LiveSource<Data, Event, Variables>;
  #data: Data | null = null;
  #fault: Fault | null = null;
  #waiting: ((data: Data) => boolean | void)[] | null = [];
  #loads = 0;
  #frame: number | null = null;
  #pause: ReturnType<typeof setTimeout> | null = null;
  #shownAt = -Infinity;
  #listeners = new Set<() => void>();
  #shown: Live<Data>;

  constructor(source: LiveSource<Data, Event, Variables>) {
    this.#source = source;
    this.#shown = this.#live(0);
  }

  readonly snapshot = (): Live<Data> => this.#shown;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  start(): () => void {
    const { feed, variables, cursorOf, apply, besides } = this.#source;
    const stop = follow(feed, variables, cursorOf, {
      event: (event) => this.#take((data) => apply(data, event)),
      missed: () => this.reload(),
      fault: (fault) => this.#fail(fault),
    });
    const stopBesides = besides?.({
      take: (edit) => this.#take(edit),
      missed: () => this.reload(),
      fault: (fault) => this.#fail(fault),
    });
    this.reload();
    return () => {
      this.#loads++;
      stop();
      stopBesides?.();
      if (this.#frame !== null) cancelAnimationFrame(this.#frame);
      if (this.#pause !== null) clearTimeout(this.#pause);
      this.#frame = null;
      this.#pause = null;
    };
  }

  readonly reload = (): void => {
    const load = ++this.#loads;
    this.#waiting ??= [];
    this.#source.load().then(
      (data) => {
        if (load !== this.#loads) return;
        this.#data = data;
        this.#fault = null;
        const waiting = this.#waiting ?? [];
        this.#waiting = null;
        for (const edit of waiting) this.#take(edit);
        this.#show();
      },
      (error: unknown) => {
        if (load === this.#loads) this.#fail(asFault(error));
      },
    );
  };

  readonly change = (edit: (data: Data) => void): void => {
    if (this.#data === null) return;
    edit(this.#data);
    this.#show();
  };

  #take(edit: (data: Data) => boolean | void): void {
    if (this.#waiting !== null) {
      this.#waiting.push(edit);
      return;
    }
    if (this.#data === null) return;
    if (edit(this.#data) === false) return this.reload();
    this.#show();
  }

  #fail(fault: Fault): void {
    this.#fault = fault;
    this.#show();
  }

  /** At once when nothing was shown of late, however many events there are then. */
  #show(): void {
    if (this.#frame !== null || this.#pause !== null) return;
    const early = this.#shownAt + SHOW_MS - performance.now();
    if (early <= 0) this.#draw();
    else {
      this.#pause = setTimeout(() => {
        this.#pause = null;
        this.#draw();
      }, early);
    }
  }

  #draw(): void {
    this.#frame = requestAnimationFrame(() => {
      this.#frame = null;
      this.#shownAt = performance.now();
      this.#shown = this.#live(this.#shown.revision + 1);
      for (const listener of this.#listeners) listener();
    });
  }

  #live(revision: number): Live<Data> {
    return { data: this.#data, fault: this.#fault, revision, reload: this.reload, change: this.change };
  }
}

/** Shows something live while the component is there. Another `key` is another thing, and begins anew. */
export function useLive<Data, Event, Variables extends object>(
  key: string,
  makeSource: () => LiveSource<Data, Event, Variables>,
): Live<Data> {
  // The key says what the source is about.
  const view = useMemo(() => new LiveView(makeSource()), [key]);
  useEffect(() => view.start(), [view]);
  return useSyncExternalStore(view.subscribe, view.snapshot, view.snapshot);
}
