import { isUtf8 } from 'node:buffer';
import { GraphQLError } from 'graphql';
import { faultText, readJson, type JsonTextFault } from '@gantry/plugin-kit/exact-json';
import type { Variables } from './operations.ts';

/** What a request asks for. */
export interface RequestParams {
  readonly query: string;
  readonly operationName: string | null;
  readonly variables: Variables;
}

/** The request itself is wrong: nothing of it was run. */
export class BadRequest extends Error {
  readonly status: number;
  readonly errors: readonly GraphQLError[];
  constructor(status: number, errors: readonly GraphQLError[]) {
    super('bad request');
    this.status = status;
    this.errors = errors;
  }
}

const malformed = (message: string) =>
  new BadRequest(400, [new GraphQLError(message, { extensions: { code: 'BAD_REQUEST' } })]);

/** An error for JSON of which something would be lost: a number that no double holds, or a key that is written twice. */
export function lossy(fault: JsonTextFault): GraphQLError {
  const remedy = fault.remedy === null ? '' : ` ${fault.remedy}`;
  const { path, place } = fault;
  return new GraphQLError(`${faultText(fault)}${remedy}`, {
    extensions: { code: 'BAD_USER_INPUT', reason: fault.code, place: { path, ...place } },
  });
}

/** What a body of JSON asks for: in UTF-8, perhaps behind a byte order mark. Throws BadRequest. */
export function paramsOfBody(body: Buffer): RequestParams {
  if (!isUtf8(body)) throw malformed('The body is not UTF-8.');
  const params = jsonOf(body.toString(), 'The body is not JSON.');
  if (Array.isArray(params)) throw malformed('One operation at a time: batches are not taken.');
  if (typeof params !== 'object' || params === null) throw malformed('The body must be an object with a `query`.');
  return checked(params as Record<string, unknown>, 'The body must hold');
}

/** What the address of a GET asks for. Throws BadRequest. */
export function paramsOfAddress(search: URLSearchParams): RequestParams {
  const json = (name: string): unknown => {
    const text = search.get(name);
    return text === null || text === '' ? undefined : jsonOf(text, `\`${name}\` is not JSON.`);
  };
  const params = {
    query: search.get('query') ?? undefined,
    operationName: search.get('operationName') || undefined,
    variables: json('variables'),
    extensions: json('extensions'),
  };
  return checked(params, 'The address must hold');
}

function jsonOf(text: string, otherwise: string): unknown {
  const read = readJson(text);
  if (read.ok) return read.value;
  throw read.fault.code === 'NOT_JSON' ? malformed(otherwise) : new BadRequest(400, [lossy(read.fault)]);
}

function checked(params: Readonly<Record<string, unknown>>, mustHold: string): RequestParams {
  const { query, operationName, variables, extensions } = params;
  if (typeof query !== 'string') throw malformed(`${mustHold} a \`query\`, and it must be a string.`);
  if (operationName !== undefined && operationName !== null && typeof operationName !== 'string') {
    throw malformed('`operationName` must be a string.');
  }
  if (!isRecord(variables)) throw malformed('`variables` must be an object.');
  if (!isRecord(extensions)) throw malformed('`extensions` must be an object.');
  return { query, operationName: operationName ?? null, variables: (variables as Variables | null | undefined) ?? {} };
}

const isRecord = (value: unknown): boolean =>
  value === undefined || value === null || (typeof value === 'object' && !Array.isArray(value));
