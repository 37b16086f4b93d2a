import { EXIT_CODES } from './exit-code.ts';
import { codeOfType, CommandFailure } from './failure.ts';
import { operationText, type OperationName } from './operations.ts';
import { ANSWER_MS, failureOfErrors, unauthenticated, unreachable, type Connection } from './connection.ts';
import { follow, type Followed, type FollowOptions } from './follow.ts';

export type Variables = Readonly<Record<string, unknown>>;

/** A client of the public GraphQL API; it knows nothing that others cannot. */
export interface Client {
  readonly url: string;
  /** The data of a query or mutation. Fails with what the server says when there are errors. */
  ask<Data>(operation: OperationName, variables?: Variables): Promise<Data>;
  /** The events of a subscription, over breaks of the connection. */
  follow<Event>(
    operation: OperationName,
    variables: Variables,
    options: FollowOptions<Event>,
  ): AsyncIterable<Followed<Event>>;
}

interface GraphQLAnswer {
  readonly data?: unknown;
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: unknown } }[];
}

/** A client over HTTP and WebSocket. Nothing is sent before the first question. */
export function createClient(connection: Connection): Client {
  return {
    url: connection.url,
    ask: <Data>(operation: OperationName, variables: Variables = {}) =>
      ask(connection, operationText(operation), variables) as Promise<Data>,
    follow: (operation, variables, options) => follow(connection, operationText(operation), variables, options),
  };
}

async function ask(connection: Connection, query: string, variables: Variables): Promise<unknown> {
  let response: Response;
  let body: string;
  try {
    response = await fetch(`${connection.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/graphql-response+json, application/json;q=0.9',
        'x-requested-by': 'gantry-cli',
        ...(connection.token === null ? {} : { authorization: `Bearer ${connection.token}` }),
      },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    body = await response.text();
  } catch (error) {
    throw unreachable(connection.url, error);
  }
  const answer = parseAnswer(body);
  if (response.status === 401) throw unauthenticated(connection);
  if (answer === null) {
    throw new CommandFailure({
      code: 'NOT_GANTRY',
      message: `${connection.url} answered with status ${response.status} and no GraphQL.`,
      remedy: 'Is it a Gantry server? Name another with --url or GANTRY_URL.',
      exitCode: EXIT_CODES.UNREACHABLE.code,
    });
  }
  if (answer.errors && answer.errors.length > 0) throw failureOfErrors(answer.errors, connection);
  return answer.data;
}

function parseAnswer(body: string): GraphQLAnswer | null {
  try {
    const answer: unknown = JSON.parse(body);
    const isAnswer = typeof answer === 'object' && answer !== null && ('data' in answer || 'errors' in answer);
    return isAnswer ? (answer as GraphQLAnswer) : null;
  } catch {
    return null;
  }
}

/** What every member of a result union has. */
export interface UnionMember {
  readonly __typename: string;
  readonly message?: string;
}

/** The payload of a mutation, or a failure with what the server refused. */
export function payloadOf<Payload extends UnionMember>(
  result: UnionMember,
  payload: Payload['__typename'],
  remedy: string | null = null,
  details: readonly string[] = [],
): Payload {
  if (result.__typename === payload) return result as Payload;
  throw new CommandFailure({
    code: codeOfType(result.__typename),
    message: result.message ?? `The server answered ${result.__typename}.`,
    remedy,
    details,
  });
}
