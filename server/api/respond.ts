import type { ServerResponse } from 'node:http';
import { GraphQLError } from 'graphql';

/** Sent with every answer. Nothing of ours may be framed, guessed at, cached or read by another site. */
export const SECURITY_HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cache-Control': 'no-store',
} as const;

const JSON_TYPE = 'application/json; charset=utf-8';
/** The media type of GraphQL over HTTP, whose status says how it went. */
export const GRAPHQL_TYPE = 'application/graphql-response+json; charset=utf-8';

const plainHeaders = Object.entries(SECURITY_HEADERS).flat();

/** Answers with text that is JSON already. On the hot path: one flat list of headers, one write. */
export function respondJson(
  response: ServerResponse,
  status: number,
  json: string,
  { isGraphqlType = false, headers = [] as readonly string[] } = {},
): void {
  if (response.headersSent || response.destroyed) return;
  const type = isGraphqlType ? GRAPHQL_TYPE : JSON_TYPE;
  const length = String(Buffer.byteLength(json));
  response.writeHead(status, ['Content-Type', type, 'Content-Length', length, ...plainHeaders, ...headers]);
  response.end(json);
}

/** Answers with one error in GraphQL's form. */
export function respondError(
  response: ServerResponse,
  status: number,
  code: string,
  message: string,
  headers: readonly string[] = [],
): void {
  const error = new GraphQLError(message, { extensions: { code } });
  respondJson(response, status, JSON.stringify({ errors: [error] }), { headers });
}
