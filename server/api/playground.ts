import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import { SECURITY_HEADERS } from './respond.ts';

/** The playground's pages may run what this server serves, and nothing else: no other host, no inline script. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  // The editor writes its own style elements while it runs.
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="referrer" content="no-referrer" />
    <title>Gantry playground</title>
    <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
    <link rel="stylesheet" href="/playground/graphiql.css" />
    <link rel="stylesheet" href="/playground/playground.css" />
  </head>
  <body>
    <noscript>The playground needs JavaScript.</noscript>
    <div id="root"></div>
    <script src="/playground/setup.js"></script>
    <script src="/playground/graphiql.js"></script>
    <script src="/playground/start.js"></script>
  </body>
</html>
`;

const JAVASCRIPT = 'text/javascript; charset=utf-8';
const CSS = 'text/css; charset=utf-8';

/** A file of the playground by its path. GraphiQL comes out of the installed package when it is first asked for. */
const FILES: Readonly<Record<string, { readonly type: string; readonly read: () => Promise<string> }>> = {
  '/playground': { type: 'text/html; charset=utf-8', read: () => Promise.resolve(PAGE) },
  '/playground/setup.js': { type: JAVASCRIPT, read: () => own('setup.js') },
  '/playground/start.js': { type: JAVASCRIPT, read: () => own('start.js') },
  '/playground/playground.css': { type: CSS, read: () => own('playground.css') },
  '/playground/graphiql.js': { type: JAVASCRIPT, read: async () => (await graphiql()).js },
  '/playground/graphiql.css': { type: CSS, read: async () => (await graphiql()).css },
  '/playground/editor-worker.js': { type: JAVASCRIPT, read: async () => (await graphiql()).editorWorkerService },
  '/playground/json-worker.js': { type: JAVASCRIPT, read: async () => (await graphiql()).jsonWorker },
  '/playground/graphql-worker.js': { type: JAVASCRIPT, read: async () => (await graphiql()).graphqlWorker },
};

/** The paths that `servePlayground` answers. */
export const PLAYGROUND_PATHS: readonly string[] = Object.keys(FILES);

interface Graphiql {
  readonly js: string;
  readonly css: string;
  readonly editorWorkerService: string;
  readonly jsonWorker: string;
  readonly graphqlWorker: string;
}

const graphiql = (): Promise<Graphiql> => import('@graphql-yoga/render-graphiql/graphiql');

const own = (name: string): Promise<string> =>
  Promise.resolve(readFileSync(fileURLToPath(new URL(`./playground/${name}`, import.meta.url)), 'utf8'));

/** Serves one of the playground's files. They hold nothing secret and need no token. */
export async function servePlayground(path: string, response: ServerResponse): Promise<void> {
  const { type, read } = FILES[path]!;
  const body = Buffer.from(await read());
  response.writeHead(200, {
    ...SECURITY_HEADERS,
    'Content-Security-Policy': POLICY,
    // They change with the server's version only; whoever has them asks again after an hour.
    'Cache-Control': 'private, max-age=3600',
    'Content-Type': type,
    'Content-Length': String(body.length),
  });
  response.end(body);
}
