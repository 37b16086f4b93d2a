import type { GraphQLError, GraphQLSchema } from 'graphql';
import type { Viewer } from '../auth/viewer.ts';
import { PROGRESSED, RUN_PROGRESSED } from '../domain/event.ts';
import { decodeCursor } from '../events/cursor.ts';
import type { FollowedEvent } from '../events/follow.ts';
import type { ApiPorts } from './context.ts';
import { publicFault } from './errors.ts';
import type { Operation, Variables } from './operations.ts';
import { executeEvent, openSource } from './subscription.ts';

/** An event, executed and written out once, for everybody who follows the same. */
export interface Frame {
  readonly event: FollowedEvent;
  /** What it is about: of two waiting frames with the same key, the later one is enough. */
  readonly key: string;
  /** The execution result as JSON in UTF-8. */
  readonly payload: Buffer;
}

/** Somebody who follows. Nothing is called after `onEnd` or `onFault`, or once it has left. */
export interface Follower {
  /** Nothing that happens from now on is missed. Called once, unless it ends before. */
  onListening(): void;
  onFrame(frame: Frame): void;
  onEnd(): void;
  onFault(errors: readonly GraphQLError[]): void;
}

/** How a root field's events may be shared; what says nothing is followed by each by itself. */
export type Sharing = 'FROM_NOW' | 'FROM_NOW_WITH_FIRST';

/** Executes a subscription's event into a frame. */
export async function frameOf(
  operation: Operation,
  ports: ApiPorts,
  viewer: Viewer,
  variables: Variables,
  event: FollowedEvent,
): Promise<Frame> {
  const result = await executeEvent(operation, ports, viewer, variables, event);
  return { event, key: keyOf(event), payload: Buffer.from(JSON.stringify(result)) };
}

function keyOf(event: FollowedEvent): string {
  if ('node' in event) return event.node;
  if (!('run' in event)) return '';
  return event.taskRun === null ? event.run : `${event.run}.${event.taskRun.ordinal}`;
}

/**
 * Subscriptions that begin now and are the same (document, variables, role) share one source and one execution of each
 * event. Who comes later to a subscription that begins with the present state gets that for itself, and then what is
 * shared.
 */
export class Feeds {
  readonly #schema: GraphQLSchema;
  readonly #ports: ApiPorts;
  readonly #feeds = new Map<Operation, Map<string, Feed>>();

  constructor(schema: GraphQLSchema, ports: ApiPorts) {
    this.#schema = schema;
    this.#ports = ports;
  }

  /** Null when the subscription cannot be shared. The result leaves the feed. */
  join(operation: Operation, variables: Variables, viewer: Viewer, follower: Follower): (() => void) | null {
    const field = this.#schema.getSubscriptionType()?.getFields()[operation.rootField];
    const sharing = field?.extensions['sharing'] as Sharing | undefined;
    if (sharing === undefined || !beginsNow(operation, variables)) return null;
    const key = `${viewer.role} ${JSON.stringify(variables)}`;
    const feeds = this.#feeds.get(operation) ?? new Map<string, Feed>();
    this.#feeds.set(operation, feeds);
    const known = feeds.get(key);
    if (known) return sharing === 'FROM_NOW' ? known.add(follower) : this.#addWithFirst(known, follower);
    const feed = new Feed(this.#schema, operation, this.#ports, viewer, variables, () => {
      feeds.delete(key);
      if (feeds.size === 0) this.#feeds.delete(operation);
    });
    feeds.set(key, feed);
    const leave = feed.add(follower);
    void feed.run();
    return leave;
  }

  /** The present state comes from a source of its own; what the feed says meanwhile waits, and what is older is dropped. */
  #addWithFirst(feed: Feed, follower: Follower): () => void {
    const ended = new AbortController();
    let waiting: (() => void)[] | null = [];
    let from: FollowedEvent | null = null;
    const orLater = (act: () => void) => (waiting ? void waiting.push(act) : act());
    const leave = feed.add({
      onListening: () => follower.onListening(),
      onFrame: (frame) => orLater(() => (from && !isBehind(frame.event, from) ? undefined : follower.onFrame(frame))),
      onEnd: () => orLater(() => follower.onEnd()),
      onFault: (errors) => orLater(() => follower.onFault(errors)),
    });
    void feed.first(ended.signal).then(
      (first) => {
        if (ended.signal.aborted) return;
        if (first === null || 'errors' in first) {
          ended.abort();
          leave();
          if (first) follower.onFault(first.errors);
          else follower.onEnd();
          return;
        }
        from = first.event;
        follower.onFrame(first);
        const acts = waiting ?? [];
        waiting = null;
        for (const act of acts) if (!ended.signal.aborted) act();
      },
      (error: unknown) => {
        if (ended.signal.aborted) return;
        leave();
        follower.onFault([publicFault(error, this.#ports.log)]);
      },
    );
    return () => {
      ended.abort();
      leave();
    };
  }
}

/** One source, executed once, with everybody who follows it. */
class Feed {
  readonly #schema: GraphQLSchema;
  readonly #operation: Operation;
  readonly #ports: ApiPorts;
  readonly #viewer: Viewer;
  readonly #variables: Variables;
  readonly #onEmpty: () => void;
  readonly #followers = new Set<Follower>();
  #isListening = false;
  readonly #ended = new AbortController();

  constructor(
    schema: GraphQLSchema,
    operation: Operation,
    ports: ApiPorts,
    viewer: Viewer,
    variables: Variables,
    onEmpty: () => void,
  ) {
    this.#schema = schema;
    this.#operation = operation;
    this.#ports = ports;
    this.#viewer = viewer;
    this.#variables = variables;
    this.#onEmpty = onEmpty;
  }

  add(follower: Follower): () => void {
    this.#followers.add(follower);
    if (this.#isListening) follower.onListening();
    return () => {
      if (this.#followers.delete(follower) && this.#followers.size === 0) this.#close();
    };
  }

  async run(): Promise<void> {
    try {
      const source = await this.#open(this.#ended.signal);
      if ('errors' in source) {
        this.#finish((follower) => follower.onFault(source.errors));
        return;
      }
      for await (const event of heard(source.events as AsyncIterable<FollowedEvent>, () => this.#listen())) {
        if (this.#ended.signal.aborted) return;
        const frame = await frameOf(this.#operation, this.#ports, this.#viewer, this.#variables, event);
        for (const follower of this.#followers) follower.onFrame(frame);
      }
      this.#finish((follower) => follower.onEnd());
    } catch (error) {
      const errors = [publicFault(error, this.#ports.log)];
      this.#finish((follower) => follower.onFault(errors));
    }
  }

  #listen(): void {
    this.#isListening = true;
    for (const follower of this.#followers) follower.onListening();
  }

  /** The event that a subscription which begins now would begin with; null when it would end at once. */
  async first(signal: AbortSignal): Promise<Frame | { readonly errors: readonly GraphQLError[] } | null> {
    const source = await this.#open(signal);
    if ('errors' in source) return source;
    for await (const event of source.events as AsyncIterable<FollowedEvent>) {
      return await frameOf(this.#operation, this.#ports, this.#viewer, this.#variables, event);
    }
    return null;
  }

  #open(signal: AbortSignal) {
    return openSource(this.#schema, this.#operation, this.#ports, this.#viewer, this.#variables, signal);
  }

  #finish(tell: (follower: Follower) => void): void {
    const followers = [...this.#followers];
    this.#followers.clear();
    this.#close();
    for (const follower of followers) tell(follower);
  }

  #close(): void {
    if (this.#ended.signal.aborted) return;
    this.#onEmpty();
    this.#ended.abort();
  }
}

/** The same events; calls back once the source has been asked for the first, and so has set its listeners. */
export async function* heard<Event>(events: AsyncIterable<Event>, onAsked: () => void): AsyncGenerator<Event> {
  const iterator = events[Symbol.asyncIterator]();
  try {
    let next = iterator.next();
    onAsked();
    for (let step = await next; !step.done; step = await next) {
      yield step.value;
      next = iterator.next();
    }
  } finally {
    await iterator.return?.();
  }
}

/** Whether a subscription does not go on from a cursor: neither by a variable nor in its text. */
function beginsNow({ document }: Operation, variables: Variables): boolean {
  for (const definition of document.definitions) {
    if (definition.kind !== 'OperationDefinition' || definition.operation !== 'subscription') continue;
    const [root] = definition.selectionSet.selections;
    if (root?.kind !== 'Field') return false;
    const after = root.arguments?.find(({ name }) => name.value === 'after')?.value;
    if (after === undefined || after.kind === 'NullValue') continue;
    // A variable may have a default: only one that is given as null, or left out without one, begins now.
    if (after.kind !== 'Variable') return false;
    const declared = definition.variableDefinitions?.find(({ variable }) => variable.name.value === after.name.value);
    if ((variables[after.name.value] ?? null) !== null || declared?.defaultValue !== undefined) return false;
  }
  return true;
}

/** Whether an event comes after another in the log, for events of one pool. */
function isBehind(event: FollowedEvent, before: FollowedEvent): boolean {
  // Is in no log.
  if (event.type === PROGRESSED || event.type === RUN_PROGRESSED) return true;
  const [place] = decodeCursor(event.cursor)?.values() ?? [];
  const [other] = decodeCursor(before.cursor)?.values() ?? [];
  if (!place || !other) return true;
  return place.seq > other.seq || (place.seq === other.seq && place.index > other.index);
}
