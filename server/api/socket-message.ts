import { readJson, type JsonTextFault } from '@gantry/plugin-kit/exact-json';
import type { Variables } from './operations.ts';

/** What a client asks for with `subscribe`. */
export interface SubscribeParams {
  readonly query: string;
  readonly operationName: string | null;
  readonly variables: Variables;
}

/** A message of graphql-transport-ws as clients send them. */
export type ClientMessage =
  | { readonly type: 'connection_init' | 'ping' | 'pong'; readonly payload?: Readonly<Record<string, unknown>> }
  | { readonly type: 'subscribe'; readonly id: string; readonly payload: SubscribeParams }
  /** An operation of whose text something would be lost: it is refused, and the others go on. */
  | { readonly type: 'lossy'; readonly id: string; readonly fault: JsonTextFault }
  | { readonly type: 'complete'; readonly id: string };

/** The longest id of an operation, in characters. */
const MAX_ID = 200;

/** Reads a message; null when it is none. */
export function readMessage(text: string): ClientMessage | null {
  const read = readJson(text);
  if (!read.ok) return read.fault.code === 'NOT_JSON' ? null : lossyMessage(text, read.fault);
  const message = read.value;
  if (!isRecord(message)) return null;
  const { type, id, payload } = message;
  switch (type) {
    case 'connection_init':
    case 'ping':
    case 'pong':
      if (payload === undefined || payload === null) return { type };
      return isRecord(payload) ? { type, payload } : null;
    case 'complete':
      return isId(id) ? { type, id } : null;
    case 'subscribe': {
      const params = isRecord(payload) ? readParams(payload) : null;
      return isId(id) && params !== null ? { type, id, payload: params } : null;
    }
    default:
      return null;
  }
}

function lossyMessage(text: string, fault: JsonTextFault): ClientMessage | null {
  const message: unknown = JSON.parse(text);
  return isRecord(message) && message['type'] === 'subscribe' && isId(message['id'])
    ? { type: 'lossy', id: message['id'], fault }
    : null;
}

function readParams({ query, operationName, variables }: Readonly<Record<string, unknown>>): SubscribeParams | null {
  if (typeof query !== 'string') return null;
  const hasName = operationName !== undefined && operationName !== null;
  if (hasName && typeof operationName !== 'string') return null;
  const given = variables ?? {};
  return isRecord(given) ? { query, operationName: hasName ? operationName : null, variables: given } : null;
}

const isId = (id: unknown): id is string => typeof id === 'string' && id !== '' && id.length <= MAX_ID;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
