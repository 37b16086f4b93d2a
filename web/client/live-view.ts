import { asFault, type Fault } from './fault.ts';
import type { Follower } from './follower.ts';
import type { Operation } from './operation.ts';

/** What a live view shows, and how it is kept true (`newest.ts` has the rule). `Data` may be changed in place. */
export interface LiveSource<Data, Event, Variables> {
  /**
   * Reads all of it, through `askInOrder`. `known` is what is shown then: what is read must not put anything of it back.
   */
  readonly load: (known: Data | null) => Promise<Data>;
  readonly feed: Operation<Event, Variables>;
  readonly variables: Variables;
  /** Null for what has no log. */
  readonly cursorOf: ((event: Event) => string) | null;
  /** Takes an event in. `false`: it cannot be taken in, read it again. */
  readonly apply: (data: Data, event: Event) => boolean | void;
  /**
   * The feed begins with the present state: reading waits for that, because nothing is missed from then on. Of other
   * feeds the server sees to it that they listen before it answers what was asked after them.
   */
  readonly beginsWithPresent?: boolean;
  /** A second feed into the same view; ends when its answer is called. */
  readonly besides?: (view: BesideView<Data>) => () => void;
}

/** What a second feed may do with a view. */
export interface BesideView<Data> {
  /** Changes what is shown; waits while that is being read. */
  readonly take: (edit: (data: Data) => boolean | void) => void;
  /** Reads it again. */
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
  /** Reads it again. */
  readonly reload: () => void;
  /** Changes it as an answer to a mutation says, before the event comes. */
  readonly change: (edit: (data: Data) => void) => void;
}

/** How a view reaches the server and the screen: handed in, so that tests decide what comes when. */
export interface LiveSurroundings {
  readonly follow: <Event, Variables extends object>(
    operation: Operation<Event, Variables>,
    variables: Variables,
    cursorOf: ((event: Event) => string) | null,
    follower: Follower<Event>,
  ) => () => void;
  /** Draws soon, and not too often; the answer takes that back. */
  readonly schedule: (draw: () => void) => () => void;
  /** Calls back after a pause, before something is read once more; the answer takes that back. */
  readonly pause: (act: () => void) => () => void;
}

type Edit<Data> = (data: Data) => boolean | void;

/** One thing that is shown live. Reads go one at a time; what happens meanwhile is taken in after them. */
export class LiveView<Data, Event, Variables extends object> {
  readonly #source: LiveSource<Data, Event, Variables>;
  readonly #surroundings: LiveSurroundings;
  #data: Data | null = null;
  #fault: Fault | null = null;
  /** What came while it was read; null while it is not. */
  #waiting: Edit<Data>[] | null = null;
  #isReading = false;
  /** What is being read may be older than what is known: read once more. */
  #isStale = false;
  /** What is being read was begun before somebody changed it here: throw it away. */
  #isOvertaken = false;
  #isPresent = false;
  /** Tells apart what a view was told before it was stopped and started again. */
  #life = 0;
  #takeBack: (() => void) | null = null;
  #stopPausing: (() => void) | null = null;
  readonly #listeners = new Set<() => void>();
  #shown: Live<Data>;

  constructor(source: LiveSource<Data, Event, Variables>, surroundings: LiveSurroundings) {
    this.#source = source;
    this.#surroundings = surroundings;
    this.#shown = this.#live(0);
  }

  readonly snapshot = (): Live<Data> => this.#shown;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  start(): () => void {
    const { feed, variables, cursorOf, apply, besides, beginsWithPresent = false } = this.#source;
    this.#isPresent = !beginsWithPresent;
    this.#waiting = [];
    const stop = this.#surroundings.follow(feed, variables, cursorOf, {
      event: (event) => {
        this.#take((data) => apply(data, event));
        if (this.#isPresent) return;
        this.#isPresent = true;
        this.reload();
      },
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
      this.#life++;
      this.#isReading = false;
      this.#isStale = false;
      stop();
      stopBesides?.();
      this.#takeBack?.();
      this.#takeBack = null;
      this.#stopPausing?.();
      this.#stopPausing = null;
    };
  }

  readonly reload = (): void => {
    if (!this.#isPresent) return;
    if (this.#isReading || this.#stopPausing !== null) this.#isStale = true;
    else void this.#read();
  };

  readonly change = (edit: (data: Data) => void): void => {
    if (this.#data === null) return;
    edit(this.#data);
    if (this.#isReading) this.#isStale = this.#isOvertaken = true;
    this.#show();
  };

  async #read(): Promise<void> {
    const life = this.#life;
    this.#isReading = true;
    this.#isStale = this.#isOvertaken = false;
    this.#waiting ??= [];
    let data: Data | null = null;
    let fault: Fault | null = null;
    try {
      data = await this.#source.load(this.#data);
    } catch (error) {
      fault = asFault(error);
    }
    if (life !== this.#life) return;
    this.#isReading = false;
    if (data !== null && !this.#isOvertaken) this.#data = data;
    this.#fault = fault;
    if (this.#data !== null) this.#catchUp(this.#data);
    this.#show();
    // What is asked for meanwhile is read by that, too.
    this.#stopPausing = this.#surroundings.pause(() => {
      this.#stopPausing = null;
      if (this.#isStale) void this.#read();
    });
  }

  /** Takes in what came while it was read. */
  #catchUp(data: Data): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const edit of waiting) if (edit(data) === false) this.#isStale = true;
  }

  #take(edit: Edit<Data>): void {
    if (this.#waiting !== null) {
      this.#waiting.push(edit);
      return;
    }
    if (this.#data === null) return;
    if (edit(this.#data) === false) this.reload();
    else this.#show();
  }

  #fail(fault: Fault): void {
    // There is no present to wait for any more: who tries again reads at once.
    this.#isPresent = true;
    this.#fault = fault;
    this.#show();
  }

  #show(): void {
    this.#takeBack ??= this.#surroundings.schedule(() => {
      this.#takeBack = null;
      this.#shown = this.#live(this.#shown.revision + 1);
      for (const listener of this.#listeners) listener();
    });
  }

  #live(revision: number): Live<Data> {
    return { data: this.#data, fault: this.#fault, revision, reload: this.reload, change: this.change };
  }
}
