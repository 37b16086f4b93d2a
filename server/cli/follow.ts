import { createClient as createSocketClient, MessageType, type Client as SocketClient } from 'graphql-ws';
import { failureOfErrors, unauthenticated, unreachable, type Connection } from './connection.ts';
import { CommandFailure } from './failure.ts';

/*
 * A subscription that outlives its connection. Every event carries a cursor; after a break the same subscription is
 * made again with `after` set to the last cursor seen, so that nothing is lost and nothing comes twice. Between tries
 * it waits, twice as long each time. It gives up when the server has been away for PATIENCE_MS.
 */

/** What comes out: an event, or word that the connection broke or was made again. */
export type Followed<Event> =
  | { readonly kind: 'EVENT'; readonly event: Event }
  | { readonly kind: 'LOST_CONTACT' }
  | { readonly kind: 'IN_CONTACT' };

export interface FollowOptions<Event> {
  /** Ends the subscription. */
  readonly signal: AbortSignal;
  readonly cursorOf: (event: Event) => string;
  /** The event in the subscription's data: its only field. */
  readonly eventOf: (data: Readonly<Record<string, unknown>>) => Event;
  readonly now: () => number;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5_000;
/** How long a server may be away. */
const PATIENCE_MS = 120_000;
const KEEP_ALIVE_MS = 10_000;
/** How long the answer to a ping may take. */
const PONG_MS = 10_000;

/** How one connection ended: the stream was complete, or it broke. */
type End<Event> =
  | { readonly kind: 'COMPLETE' }
  | { readonly kind: 'BROKEN'; readonly cause: unknown }
  | { readonly kind: 'EVENT'; readonly event: Event };

/** The events of a subscription until it is complete or `signal` is aborted. */
export async function* follow<Event>(
  connection: Connection,
  query: string,
  variables: Readonly<Record<string, unknown>>,
  options: FollowOptions<Event>,
): AsyncGenerator<Followed<Event>> {
  let after: string | undefined;
  let waitMs = FIRST_WAIT_MS;
  let lastContact = options.now();
  let isInContact = true;
  while (!options.signal.aborted) {
    for await (const step of once<Event>(
      connection,
      query,
      after === undefined ? variables : { ...variables, after },
      options,
    )) {
      if (step.kind === 'COMPLETE') return;
      if (step.kind === 'BROKEN') {
        // Whoever never had contact is told at once: the address is probably wrong.
        if (after === undefined || options.now() - lastContact > PATIENCE_MS)
          throw unreachable(connection.url, step.cause);
        break;
      }
      if (!isInContact) yield { kind: 'IN_CONTACT' };
      isInContact = true;
      waitMs = FIRST_WAIT_MS;
      lastContact = options.now();
      after = options.cursorOf(step.event);
      yield { kind: 'EVENT', event: step.event };
    }
    if (options.signal.aborted) return;
    if (isInContact) {
      isInContact = false;
      lastContact = options.now();
      yield { kind: 'LOST_CONTACT' };
    }
    await options.sleep(waitMs, options.signal).catch(() => undefined);
    waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2);
  }
}

/** One connection's worth of events, and then how it ended. Throws what trying again would not change. */
async function* once<Event>(
  connection: Connection,
  query: string,
  variables: Readonly<Record<string, unknown>>,
  { signal, eventOf }: FollowOptions<Event>,
): AsyncGenerator<End<Event>> {
  const socket = openSocket(connection);
  const stop = () => void socket.dispose();
  signal.addEventListener('abort', stop);
  try {
    const events = socket.iterate<Record<string, unknown>>({ query, variables });
    for (;;) {
      let next: Awaited<ReturnType<typeof events.next>>;
      try {
        next = await events.next();
      } catch (error) {
        if (signal.aborted) return;
        const refusal = refusalOf(error, connection);
        if (refusal !== null) throw refusal;
        yield { kind: 'BROKEN', cause: error };
        return;
      }
      if (next.done) {
        // A server that stops in good order closes the socket normally: that is not the end of the stream.
        yield signal.aborted || socket.isComplete() ? { kind: 'COMPLETE' } : { kind: 'BROKEN', cause: null };
        return;
      }
      const { data, errors } = next.value;
      if (errors && errors.length > 0) throw failureOfErrors(errors, connection);
      if (data) yield { kind: 'EVENT', event: eventOf(data) };
    }
  } finally {
    signal.removeEventListener('abort', stop);
    await socket.dispose();
  }
}

function openSocket({ url, token }: Connection): SocketClient & { isComplete(): boolean } {
  let isComplete = false;
  let pongIsDue: NodeJS.Timeout | undefined;
  const client = createSocketClient({
    url: `${url.replace(/^http/, 'ws')}/graphql`,
    ...(token === null ? {} : { connectionParams: { authorization: `Bearer ${token}` } }),
    // Trying again is done here, because a new try must resume from the last cursor.
    retryAttempts: 0,
    // A dead peer that sent no FIN is noticed by its missing pong.
    keepAlive: KEEP_ALIVE_MS,
    on: {
      ping: (isReceived) => {
        if (!isReceived) pongIsDue = setTimeout(() => client.terminate(), PONG_MS).unref();
      },
      pong: (isReceived) => {
        if (isReceived) clearTimeout(pongIsDue);
      },
      message: ({ type }) => {
        if (type === MessageType.Complete) isComplete = true;
      },
      closed: () => clearTimeout(pongIsDue),
    },
  });
  return Object.assign(client, { isComplete: () => isComplete });
}

/** A failure that a new try would meet again; null for a broken connection. */
function refusalOf(error: unknown, connection: Connection): CommandFailure | null {
  if (Array.isArray(error)) return failureOfErrors(error as Parameters<typeof failureOfErrors>[0], connection);
  const closeCode = (error as { readonly code?: unknown } | null)?.code;
  if (closeCode === 4401 || closeCode === 4403) return unauthenticated(connection);
  if (typeof closeCode === 'number' && closeCode >= 4400 && closeCode < 4500) {
    const reason = (error as { readonly reason?: unknown }).reason;
    return new CommandFailure({
      message:
        typeof reason === 'string' && reason !== '' ? reason : `The server closed the connection (${closeCode}).`,
    });
  }
  return null;
}
