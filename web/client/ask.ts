import { Fault, faultOf, UNREACHABLE, type GraphQLErrorText } from './fault.ts';
import type { Operation } from './operation.ts';
import { isAwayStatus, serverAnswered, serverIsAway } from './reach.ts';
import { sessionToken, signOut } from './session.ts';

const unreachable = (): Fault => new Fault('The server cannot be reached. Is it running?', UNREACHABLE);

/** Asks over HTTP, once. Rejects with a `Fault`. A token that is no longer good ends the session. */
export async function ask<Data, Variables>(
  operation: Operation<Data, Variables>,
  variables: Variables,
  signal?: AbortSignal,
): Promise<Data> {
  const token = sessionToken();
  let response: Response;
  try {
    response = await fetch('/graphql', {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Accept: 'application/graphql-response+json, application/json',
        ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ query: operation.text, operationName: operation.name, variables }),
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    serverIsAway();
    throw unreachable();
  }
  const answer = (await response.json().catch(() => ({}))) as {
    readonly data?: Data;
    readonly errors?: readonly GraphQLErrorText[];
  };
  if (isAwayStatus(response.status) && answer.data === undefined && !answer.errors?.length) {
    serverIsAway();
    throw unreachable();
  }
  serverAnswered();
  if (response.status === 401 && token !== null && token === sessionToken()) {
    signOut('This token is not accepted any more.');
  }
  if (answer.errors?.length) throw faultOf(answer.errors);
  if (!answer.data) throw new Fault(`The server answered with status ${response.status}.`, 'UNKNOWN');
  return answer.data;
}
