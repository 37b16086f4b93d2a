import { buildSchema, graphql, type ExecutionResult } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { WebSocketServer, type WebSocket } from 'ws';

/** What the root fields answer; objects of a union bear their `__typename`. */
export type Script = Readonly<Record<string, (args: never) => unknown>>;

export interface ScriptedServer {
  readonly url: string;
  /** The authorization headers that came, in order. */
  readonly authorizations: (string | undefined)[];
  /** Cuts every WebSocket, as a crash does. */
  cut(): void;
  close(): Promise<void>;
}

const SCHEMA = buildSchema(readFileSync(join(import.meta.dirname, '../../schema.graphql'), 'utf8'));
const TOKEN = 'Bearer the-right-token';

/** The product's own schema over real HTTP and WebSockets, with answers that a test writes: for what no server does on demand. */
export async function startScriptedServer(script: Script, subscriptions: Script = {}): Promise<ScriptedServer> {
  const authorizations: (string | undefined)[] = [];
  const http = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      authorizations.push(request.headers.authorization);
      const answer = (status: number, body: ExecutionResult): void => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      };
      if (request.headers.authorization !== TOKEN) return answer(401, {});
      const { query, variables } = JSON.parse(Buffer.concat(chunks).toString()) as { query: string; variables: object };
      void graphql({ schema: SCHEMA, source: query, rootValue: script, variableValues: { ...variables } }).then(
        (result) => answer(200, result),
      );
      return undefined;
    });
  });
  const sockets = new WebSocketServer({ server: http, path: '/graphql' });
  const service = useServer(
    {
      schema: SCHEMA,
      roots: { subscription: subscriptions },
      onConnect: ({ connectionParams }) => connectionParams?.['authorization'] === TOKEN,
    },
    sockets,
  );
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    authorizations,
    cut: () => sockets.clients.forEach((socket: WebSocket) => socket.terminate()),
    async close() {
      sockets.clients.forEach((socket: WebSocket) => socket.terminate());
      await service.dispose();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

const AT = '2026-11-20T10:00:00.000Z';

/** A run as the API answers it. */
export function aRun(facts: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const state = (facts['state'] as string | undefined) ?? 'RUNNING';
  const isFinished = ['SUCCEEDED', 'FAILED', 'CANCELLED'].includes(state);
  return {
    id: '019aa1c8-0000-7000-8000-000000000001',
    isFinished,
    pipelineName: 'word-count',
    versionNumber: 3,
    params: { corpus: 'a.txt' },
    priority: 0,
    trigger: 'MANUAL',
    createdBy: 'admin',
    poolName: 'default',
    createdAt: AT,
    startedAt: AT,
    finishedAt: isFinished ? '2026-11-20T10:00:01.500Z' : null,
    reason: null,
    counts: { total: 3, finished: isFinished ? 3 : 1, failed: 0 },
    ...facts,
    state,
  };
}

/** A task run as the API answers it. */
export function aTaskRun(ordinal: number, facts: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const state = (facts['state'] as string | undefined) ?? 'RUNNING';
  const isFinished = ['SUCCEEDED', 'FAILED', 'CANCELLED'].includes(state);
  const finishedAt = isFinished ? '2026-11-20T10:00:01.000Z' : null;
  return {
    id: `019aa1c8-0000-7000-8000-000000000001.${ordinal}`,
    taskKey: 'split',
    mapIndex: null,
    isFinished,
    finishedAt,
    progress: null,
    attempt: { number: 1, nodeName: 'local', state, assignedAt: AT, startedAt: AT, finishedAt, failure: null },
    ...facts,
    state,
  };
}

/** A page with all of them. */
export const pageOf = (nodes: readonly unknown[]): Record<string, unknown> => ({
  nodes,
  pageInfo: { hasNextPage: false, endCursor: null },
});
