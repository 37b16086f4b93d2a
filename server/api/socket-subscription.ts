import type { GraphQLError } from 'graphql';
import type { Viewer } from '../auth/viewer.ts';
import type { FollowedEvent } from '../events/follow.ts';
import type { ApiPorts } from './context.ts';
import { publicFault } from './errors.ts';
import { frameOf, heard, type Feeds, type Follower, type Frame } from './feeds.ts';
import type { Operation, Operations, Variables } from './operations.ts';
import type { Outlet } from './outlet.ts';
import { executeEvent, openSource } from './subscription.ts';
import { textFrame } from './text-frame.ts';

/** Things about which news may wait for a slow client; then it is told to read anew. */
const MAX_KEYS = 256;
const END = Buffer.from('}');

/** What a subscription needs of the socket that it lives on. */
export interface SubscriptionHost {
  readonly outlet: Outlet;
  readonly viewer: Viewer;
  /** The subscription is over: say so, and forget it. */
  complete(id: string): void;
  fail(id: string, errors: readonly GraphQLError[]): void;
  /** The token is not good any more. */
  refuse(): void;
}

/** One subscription of one client: frames go out as they come, or wait, bounded, while the client does not read. */
export class SocketSubscription {
  readonly #id: string;
  readonly #host: SubscriptionHost;
  readonly #ports: ApiPorts;
  readonly #operation: Operation;
  readonly #variables: Variables;
  readonly #before: Buffer;
  readonly #ended = new AbortController();
  #leave: (() => void) | null = null;
  /** Frames that wait, the latest by key, in the order of their events. */
  readonly #waiting = new Map<string, Frame>();
  /** The last event that was dropped. */
  #dropped: FollowedEvent | null = null;
  #isResyncing = false;
  #finish: (() => void) | null = null;
  #onListening: () => void = () => undefined;
  /** Resolves when nothing that happens from then on is missed, or when it is over. */
  readonly listening = new Promise<void>((resolve) => (this.#onListening = resolve));
  readonly #resume = () => this.#flush();

  constructor(id: string, host: SubscriptionHost, ports: ApiPorts, operation: Operation, variables: Variables) {
    this.#id = id;
    this.#host = host;
    this.#ports = ports;
    this.#operation = operation;
    this.#variables = variables;
    this.#before = Buffer.from(`{"id":${JSON.stringify(id)},"type":"next","payload":`);
  }

  start(feeds: Feeds, operations: Operations): void {
    const follower: Follower = {
      onListening: () => this.#onListening(),
      onFrame: (frame) => this.#offer(frame),
      onEnd: () => this.#finishWith(() => this.#host.complete(this.#id)),
      onFault: (errors) => this.#finishWith(() => this.#host.fail(this.#id, errors)),
    };
    this.#leave = feeds.join(this.#operation, this.#variables, this.#host.viewer, follower);
    if (this.#leave === null) void this.#followAlone(operations);
  }

  /** The client has had enough, or has gone. */
  stop(): void {
    this.#ended.abort();
    this.#onListening();
    this.#leave?.();
    this.#host.outlet.forget(this.#resume);
    this.#waiting.clear();
  }

  #offer(frame: Frame): void {
    if (!this.#ports.tokens.isGood(this.#host.viewer)) {
      this.#host.refuse();
      return;
    }
    const { outlet } = this.#host;
    if (this.#waiting.size === 0 && this.#dropped === null && !outlet.isFull) {
      outlet.write(textFrame(this.#before, frame.payload, END));
      return;
    }
    if (this.#dropped !== null) this.#dropped = frame.event;
    else {
      // Deleted first, so that the key moves to the end: a later frame must not overtake what happened before it, and a
      // client resumes from the cursor of the last frame that it was sent.
      this.#waiting.delete(frame.key);
      this.#waiting.set(frame.key, frame);
      if (this.#waiting.size > MAX_KEYS) {
        this.#waiting.clear();
        this.#dropped = frame.event;
      }
    }
    outlet.whenRoom(this.#resume);
  }

  #flush(): void {
    const { outlet } = this.#host;
    for (const [key, frame] of this.#waiting) {
      if (outlet.isFull) break;
      this.#waiting.delete(key);
      outlet.write(textFrame(this.#before, frame.payload, END));
    }
    if (this.#waiting.size > 0) outlet.whenRoom(this.#resume);
    else if (this.#dropped === null) this.#finish?.();
    else if (!this.#isResyncing) void this.#resync(this.#dropped);
  }

  /** Tells that something was left out, in the shape that the client asked for. */
  async #resync({ cursor, at }: FollowedEvent): Promise<void> {
    this.#isResyncing = true;
    try {
      const event: FollowedEvent = { type: 'RESYNC', cursor, at };
      const frame = await frameOf(this.#operation, this.#ports, this.#host.viewer, this.#variables, event);
      if (this.#ended.signal.aborted) return;
      this.#host.outlet.write(textFrame(this.#before, frame.payload, END));
      // What was dropped meanwhile lies behind this marker, and gets one of its own.
      if (this.#dropped?.cursor === cursor) this.#dropped = null;
      this.#isResyncing = false;
      this.#flush();
    } catch (error) {
      this.#host.fail(this.#id, [publicFault(error, this.#ports.log)]);
    }
  }

  #finishWith(finish: () => void): void {
    this.#finish = () => {
      this.#finish = null;
      finish();
    };
    if (this.#waiting.size === 0 && this.#dropped === null) this.#finish();
  }

  /** A source of its own, read only as fast as the client reads: logs, and what goes on from a cursor. */
  async #followAlone(operations: Operations): Promise<void> {
    const { signal } = this.#ended;
    const { viewer, outlet } = this.#host;
    try {
      const source = await openSource(operations.schema, this.#operation, this.#ports, viewer, this.#variables, signal);
      if ('errors' in source) {
        if (!signal.aborted) this.#host.fail(this.#id, source.errors);
        return;
      }
      for await (const event of heard(source.events, () => this.#onListening())) {
        const result = await executeEvent(this.#operation, this.#ports, viewer, this.#variables, event);
        if (signal.aborted) return;
        if (!this.#ports.tokens.isGood(viewer)) {
          this.#host.refuse();
          return;
        }
        outlet.write(textFrame(this.#before, Buffer.from(JSON.stringify(result)), END));
        if (outlet.isFull) await this.#room();
      }
      if (!signal.aborted) this.#host.complete(this.#id);
    } catch (error) {
      if (!signal.aborted) this.#host.fail(this.#id, [publicFault(error, this.#ports.log)]);
    }
  }

  #room(): Promise<void> {
    return new Promise((resolve) => {
      this.#host.outlet.whenRoom(resolve);
      this.#ended.signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }
}
