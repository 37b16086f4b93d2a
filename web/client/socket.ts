/**
 * The one WebSocket of this page. A subscription goes on behind the last event that came through, whenever the
 * connection is new: the variables are written out anew each time, with the cursor as it is then.
 *
 * Queries that belong to a subscription go through the same socket, so that the server begins them in order: what
 * happens after the answer was read is told, and nothing falls between.
 */
import { createClient, type Client } from 'graphql-ws/client';
import { Fault, faultOf, UNREACHABLE, type GraphQLErrorText } from './fault.ts';
import type { Follower } from './follower.ts';
import type { Operation } from './operation.ts';
import { serverAnswered, serverMayBeAway } from './reach.ts';
import { sessionToken, signOut, watchSession } from './session.ts';

/** Whether the page hears from the server. IDLE: nothing on the page is live. */
export type Contact = 'IDLE' | 'CONNECTING' | 'CONNECTED' | 'RECONNECTING';

/** The server says that the token is not good (any more). */
const FORBIDDEN = 4403;
const LONGEST_WAIT_MS = 5_000;

let client: Client | null = null;
let contact: Contact = 'IDLE';
let connections = 0;
const listeners = new Set<() => void>();

function become(next: Contact): void {
  if (next === contact) return;
  contact = next;
  for (const listener of listeners) listener();
}

/** Whether the page hears from the server. */
export const currentContact = (): Contact => contact;

/** How many connections there have been: grows with each new one. */
export const connectionCount = (): number => connections;

/** Calls back when the contact changes; the answer ends that. */
export function watchContact(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

watchSession(() => {
  const old = client;
  client = null;
  connections = 0;
  become('IDLE');
  // While the server is away there is no connection to be closed.
  Promise.resolve(old?.dispose()).catch(() => undefined);
});

function socket(): Client {
  if (client) return client;
  const own: Client = createClient({
    url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/graphql`,
    connectionParams: () => ({ authorization: `Bearer ${sessionToken() ?? ''}` }),
    lazy: true,
    lazyCloseTimeout: 3_000,
    keepAlive: 12_000,
    retryAttempts: Number.POSITIVE_INFINITY,
    // Half of it by chance, so that a server that comes back is not met by everybody at once.
    retryWait: (retries) =>
      new Promise((resolve) => {
        const longest = Math.min(LONGEST_WAIT_MS, 250 * 2 ** retries);
        setTimeout(resolve, longest / 2 + (Math.random() * longest) / 2);
      }),
    shouldRetry: () => own === client,
    on: {
      connecting: () => own === client && become(connections === 0 ? 'CONNECTING' : 'RECONNECTING'),
      connected: () => {
        if (own !== client) return;
        connections++;
        serverAnswered();
        become('CONNECTED');
      },
      closed: (event) => {
        if (own !== client) return;
        const { code, wasClean } = event as CloseEvent;
        if (code === FORBIDDEN) return signOut('This token is not accepted any more.');
        // 1000 is how we ourselves close it when nothing is live any more.
        if (code === 1000 && wasClean) return become('IDLE');
        become('RECONNECTING');
        void serverMayBeAway();
      },
    },
  });
  client = own;
  return own;
}

/** Asks through the socket; see above. Rejects with a `Fault`. */
export function askInOrder<Data, Variables>(
  operation: Operation<Data, Variables>,
  variables: Variables,
): Promise<Data> {
  return new Promise((resolve, reject) => {
    let answer: Data | null = null;
    socket().subscribe<Data>(
      { query: operation.text, operationName: operation.name, variables: variables as Record<string, unknown> },
      {
        next: ({ data, errors }) => {
          if (errors?.length) reject(faultOf(errors as readonly GraphQLErrorText[]));
          else answer = data ?? null;
        },
        error: (error) => reject(socketFault(error)),
        complete: () =>
          answer === null ? reject(new Fault('The connection was closed.', UNREACHABLE)) : resolve(answer),
      },
    );
  });
}

/**
 * Follows a subscription until the answer is called. `cursorOf` finds what to go on behind; null for what has no log:
 * then whatever a break may have swallowed is `missed`.
 */
export function follow<Data, Variables extends object>(
  operation: Operation<Data, Variables>,
  variables: Variables & { readonly after?: string | null | undefined },
  cursorOf: ((data: Data) => string) | null,
  follower: Follower<Data>,
): () => void {
  let cursor: string | null = variables.after ?? null;
  let startedIn = connections;
  let isOver = false;
  let stop: () => void = () => undefined;
  const offContact = watchContact(() => {
    if (contact !== 'CONNECTED' || connections === startedIn) return;
    const isFirst = startedIn === 0;
    startedIn = connections;
    // Without a cursor it begins now, wherever the old connection had come to.
    if (!isFirst && cursor === null) follower.missed();
  });
  const begin = (): void => {
    const current = { toJSON: () => ({ ...variables, ...(cursor === null ? {} : { after: cursor }) }) };
    stop = socket().subscribe<Data>(
      {
        query: operation.text,
        operationName: operation.name,
        variables: current as unknown as Record<string, unknown>,
      },
      {
        next: ({ data, errors }) => {
          if (isOver) return;
          if (errors?.length) return follower.fault(faultOf(errors as readonly GraphQLErrorText[]));
          if (!data) return;
          if (cursorOf !== null) cursor = cursorOf(data);
          follower.event(data);
        },
        error: (error) => {
          if (isOver) return;
          const fault = socketFault(error);
          if (fault.code === 'BAD_CURSOR' && cursor !== null) {
            cursor = null;
            begin();
            return follower.missed();
          }
          follower.fault(fault);
        },
        complete: () => {
          if (!isOver) follower.end?.();
        },
      },
    );
  };
  begin();
  return () => {
    isOver = true;
    offContact();
    stop();
  };
}

function socketFault(error: unknown): Fault {
  if (Array.isArray(error)) return faultOf(error as readonly GraphQLErrorText[]);
  return new Fault('The connection to the server was lost.', UNREACHABLE);
}
