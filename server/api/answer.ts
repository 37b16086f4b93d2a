import type { IncomingMessage, ServerResponse } from 'node:http';
import { GraphQLError, type ExecutionResult } from 'graphql';
import type { Viewer } from '../auth/viewer.ts';
import { MAX_BODY_BYTES, readBody } from './body.ts';
import { createContext, type ApiPorts } from './context.ts';
import { publicError, publicFault } from './errors.ts';
import type { Operations } from './operations.ts';
import { BadRequest, paramsOfBody } from './request-params.ts';
import { respondError, respondJson } from './respond.ts';

/** How an answer is to be written. */
interface Manner {
  /** In the media type whose status says how it went; otherwise everything that was well-formed is 200. */
  readonly isGraphqlType: boolean;
}

/** How the client wants its answer, or null when plain JSON will not do: then it is a stream that it asks for. */
export function mannerOf({ headers }: IncomingMessage): Manner | null {
  const { accept } = headers;
  if (accept === undefined || accept === '*/*' || accept === 'application/json') return PLAIN;
  const types = accept.split(',').map((type) => type.split(';', 1)[0]!.trim().toLowerCase());
  for (const type of types) {
    if (type === 'application/graphql-response+json') return GRAPHQL;
    if (type === 'application/json' || type === 'application/*' || type === '*/*') return PLAIN;
    if (type === 'text/event-stream' || type.startsWith('multipart/')) return null;
  }
  return null;
}
const PLAIN: Manner = { isGraphqlType: false };
const GRAPHQL: Manner = { isGraphqlType: true };

/** Whether a body is declared to be JSON in UTF-8. */
export function isJson(contentType: string | undefined): boolean {
  return (
    contentType === 'application/json' || /^application\/json *(; *charset="?utf-?8"? *)?$/i.test(contentType ?? '')
  );
}

/**
 * Answers queries and mutations that come as POST with JSON, which is nearly all of them, without any framework in
 * between. Who asks is known already.
 */
export function answerPost(
  request: IncomingMessage,
  response: ServerResponse,
  manner: Manner,
  viewer: Viewer,
  ports: ApiPorts,
  operations: Operations,
): void {
  readBody(request, (body) => {
    if (body === null) {
      const message = `The request is larger than ${MAX_BODY_BYTES} bytes.`;
      respondError(response, 413, 'TOO_LARGE', message, ['Connection', 'close']);
      return;
    }
    try {
      const outcome = run(body, viewer, ports, operations);
      if ('then' in outcome) {
        outcome.then(
          (result) => respondResult(response, result, manner, ports),
          (error: unknown) => respondFault(response, error, manner, ports),
        );
      } else respondResult(response, outcome, manner, ports);
    } catch (error) {
      respondFault(response, error, manner, ports);
    }
  });
}

function run(
  body: Buffer,
  viewer: Viewer,
  ports: ApiPorts,
  operations: Operations,
): ExecutionResult | Promise<ExecutionResult> {
  const { query, operationName, variables } = paramsOfBody(body);
  const operation = operations.prepare(query, operationName);
  if (!('execute' in operation)) return { errors: operation };
  if (operation.type === 'subscription') {
    const message =
      'A subscription is followed over WebSocket (graphql-transport-ws), or with Accept: text/event-stream.';
    throw new BadRequest(406, [new GraphQLError(message, { extensions: { code: 'BAD_REQUEST' } })]);
  }
  const fault = operations.admit(operation, viewer, variables);
  if (fault) return { errors: [fault] };
  return operation.execute(undefined, createContext(ports, viewer), variables);
}

function respondResult(response: ServerResponse, result: ExecutionResult, { isGraphqlType }: Manner, ports: ApiPorts) {
  const { errors } = result;
  if (errors === undefined) {
    respondJson(response, 200, JSON.stringify(result), { isGraphqlType });
    return;
  }
  const told = errors.map((error) => publicError(error, ports.log));
  // Without data nothing was run: it was not understood, or refused.
  const wasRun = 'data' in result;
  const isUnavailable = told.some(({ extensions }) => extensions['code'] === 'UNAVAILABLE');
  const status = isUnavailable ? 503 : wasRun || !isGraphqlType ? 200 : 400;
  const json = JSON.stringify(wasRun ? { data: result.data, errors: told } : { errors: told });
  respondJson(response, status, json, { isGraphqlType, headers: isUnavailable ? ['Retry-After', '5'] : [] });
}

function respondFault(response: ServerResponse, fault: unknown, { isGraphqlType }: Manner, ports: ApiPorts): void {
  if (fault instanceof BadRequest) {
    respondJson(response, fault.status, JSON.stringify({ errors: fault.errors }), { isGraphqlType });
    return;
  }
  const error = publicFault(fault, ports.log);
  const isForbidden = error.extensions['code'] === 'FORBIDDEN';
  const status = isForbidden ? (isGraphqlType ? 403 : 200) : error.extensions['code'] === 'UNAVAILABLE' ? 503 : 500;
  respondJson(response, status, JSON.stringify({ errors: [error] }), { isGraphqlType });
}
