import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll } from '@jest/globals';
import { describeRunner } from '@gantry/plugin-kit/testing';
import plugin from '../src/index.ts';

let server: Server;
let base: string;
beforeAll(async () => {
  server = createServer((request, response) => {
    response.setHeader('content-type', 'text/plain');
    if (request.url === '/endless') response.write('at first');
    else if (request.url === '/count')
      response.end(Array.from({ length: 5_000 }, (_, index) => `${index + 1}\n`).join(''));
    else response.writeHead(request.url === '/bad' ? 500 : 200).end('an answer');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

describeRunner(plugin, () => ({
  succeeds: { url: `${base}/good` },
  fails: { url: `${base}/bad` },
  endless: { url: `${base}/endless` },
  counts: { config: { url: `${base}/count` }, upTo: 5_000 },
  prints: { config: { url: `${base}/good` }, text: 'an answer' },
  checkpoints: {
    url: `${base}/jobs`,
    method: 'POST',
    poll: { url: '/jobs/1', interval: '50ms', until: { status: 200 } },
  },
  mistakes: [
    { config: { url: 'ftp://example.com/' }, code: 'BAD_URL' },
    { config: { url: 'http://' }, code: 'BAD_URL' },
    { config: { url: 'http://10.1.2.3/' }, code: 'ADDRESS_NOT_ALLOWED' },
  ],
  settings: { allow: ['127.0.0.1'] },
}));
