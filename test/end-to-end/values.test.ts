import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { signedIn } from '../api/socket-client.ts';
import { gantry as commandLine } from '../cli/command-line.ts';
import { databases, type TestDatabases } from '../support/databases.ts';
import { spawnGantry, type GantryProcess } from './gantry-process.ts';

// Values on their whole way: from a shell, a file or a program through a real server, its database and a real process,
// and back again. A number arrives as it was written, or is refused with its place.

const TOKEN = 'admin-token-of-the-values-test-0123456789';

const PIPELINE = `name: values
params:
  v: { type: json, default: null }
  s: { type: string, default: "" }
  n: { type: number, default: 0 }
tasks:
  - key: seen
    runner: shell
    with:
      command: |
        printf 'v=%s\\ns=%s\\nn=%s\\n' "$GANTRY_PARAM_V" "$GANTRY_PARAM_S" "$GANTRY_PARAM_N" >> "$GANTRY_OUTPUT"
        printf 'json:=%s\\n' "$GANTRY_PARAM_V" >> "$GANTRY_OUTPUT"
  - key: downstream
    needs: [seen]
    runner: shell
    env: { WHOLE: "\${{ tasks.seen.outputs.json }}", TEXT: "it is \${{ tasks.seen.outputs.json }}" }
    with: { command: 'printf "whole=%s\\ntext=%s\\n" "$WHOLE" "$TEXT" >> "$GANTRY_OUTPUT"' }
`;

describe.each(databases)('on $name,', ({ start }) => {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-values-'));
  let database: TestDatabases;
  let server: GantryProcess;
  let service: Server;
  let url: string;
  let origin: string;

  beforeAll(async () => {
    database = await start();
    service = createServer((request, response) => {
      const headers = { 'content-type': 'Application/JSON; charset=ISO-8859-1', 'content-encoding': 'gzip' };
      const body = Buffer.from('{"id":9007199254740993,"price":3.10,"name":"Zoë"}', 'latin1');
      if (request.url === '/there%C3%A9') response.writeHead(200, headers).end(gzipSync(body));
      else
        response.socket!.end('HTTP/1.1 302 Found\r\nLocation: /there\xc3\xa9\r\nContent-Length: 0\r\n\r\n', 'latin1');
    });
    await once(service.listen(0, '127.0.0.1'), 'listening');
    origin = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
    const words = ['server', '--port', '0', '--data-dir', join(folder, 'data'), '--http-allow', '127.0.0.1'];
    server = spawnGantry(words, { GANTRY_ADMIN_TOKEN: TOKEN, GANTRY_DATABASE_URL: await database.fresh() });
    url = String((await server.event(({ type }) => type === 'server.listening'))['url']);
    expect((await apply(PIPELINE)).code).toBe(0);
  }, 120_000);

  afterAll(async () => {
    server.child.kill('SIGKILL');
    await server.ended();
    service.close();
    await database.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  async function gantry(...words: readonly string[]) {
    const ended = await commandLine([...words, '--url', url], { env: { GANTRY_TOKEN: TOKEN } });
    return { code: ended.exitCode, said: ended.stdout + ended.stderr };
  }

  function file(name: string, content: string | Buffer): string {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  }
  const apply = (yaml: string | Buffer) => gantry('apply', '-f', file('pipeline.yaml', yaml));

  /** The text of an answer: what JSON.parse makes of it would hide what was sent. */
  async function ask(body: string): Promise<string> {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` },
      body,
    });
    return response.text();
  }
  const latest = () =>
    ask(
      JSON.stringify({
        query:
          '{ runs(first: 1) { nodes { params state taskRuns(first: 9) { nodes { taskKey mapIndex state outputs attempt { failure { code message remedy } } } } } } }',
      }),
    );
  const TRIGGER =
    'mutation ($p: JSON!) { triggerRun(input: { pipeline: \\"values\\", params: $p }) { __typename ... on Error { message } } }';

  it('a param arrives in the environment, the database and the answers as it was written', async () => {
    const v = '[9007199254740992,0.1,1e+21,5e-324,"9007199254740993","3.10"]';
    expect(
      (await gantry('run', 'values', '--param', `v=${v}`, '--param', 's=3.10', '--param', 'n=3.10', '--follow')).code,
    ).toBe(0);
    const text = await latest();
    expect(text).toContain(`"params":{"v":${v},"s":"3.10","n":3.1}`);
    expect(text).toContain(JSON.stringify({ v, s: '3.10', n: '3.1' }).slice(0, -1));
    expect(text).toContain(`"json":${v}`);
    expect(text).toContain(JSON.stringify({ whole: v, text: `it is ${v}` }));
    const shown = await gantry('runs');
    expect(shown.code).toBe(0);
  }, 60_000);

  it.each([
    ['--param', 'v=9007199254740993', 'The param “v” cannot be taken: line 1, column 1: 9007199254740993'],
    ['--param', 'v={"ids":[18446744073709551616]}', 'ids[0] (line 1, column 9)'],
    ['--param', 'n=0.1234567890123456789', 'it would become 0.12345678901234568'],
    ['--param', 'v={"a":1,"a":2}', '“a” is written twice'],
  ])('the command line refuses one that would be changed, with its place: %s %s', async (option, value, message) => {
    const { code, said } = await gantry('run', 'values', option, value);
    expect([code, said]).toEqual([2, expect.stringContaining(message)]);
  });

  it.each([
    ['p.json', '{\n "v": 9007199254740993 }', 'p.json: v (line 2, column 7): 9007199254740993'],
    [
      'p.yaml',
      's: x\nv:\n  - 0xFFFFFFFFFFFFFFFF\n',
      'p.yaml:3:5 v[0]: 0xFFFFFFFFFFFFFFFF is a number that cannot be kept',
    ],
    ['p.yaml', 'v: [3.10, 3.9]\n', 'p.yaml:1:5 v[0]: 3.10 would be handed in as 3.1.'],
    ['p.yaml', 's: 3.10\n', 'write it in quotes: "3.10"'],
    ['p.yaml', 'v: 1\nv: 2\n', 'unique'],
    ['p.yaml', Buffer.from('v: "\xe9"\n', 'latin1'), 'Line 1 (byte 6) is not UTF-8.'],
  ])('a file of params is refused with its place: %s %j', async (name, content, message) => {
    const { code, said } = await gantry('run', 'values', '--params-file', file(name, content));
    expect([code, said]).toEqual([2, expect.stringContaining(message)]);
  });

  it('a file of params is read in the encoding that its mark names', async () => {
    const yaml = Buffer.from('\uFEFFs: "é 3.10"\nn: 3.10\nv: ["3.10", 9007199254740992]\n', 'utf16le');
    expect((await gantry('run', 'values', '--params-file', file('p.yaml', yaml), '--follow')).code).toBe(0);
    expect(await latest()).toContain('"params":{"v":["3.10",9007199254740992],"s":"é 3.10","n":3.1}');
  }, 60_000);

  it('a program is refused over HTTP and over a WebSocket, with the place', async () => {
    const request = `{"query":"${TRIGGER}","variables":{"p":{"v":{"id":9007199254740993}}}}`;
    expect(await ask(request)).toContain('variables.p.v.id (line 1, column ');
    const client = await signedIn(url, TOKEN);
    client.send(`{"type":"subscribe","id":"1","payload":${request}}`);
    expect(JSON.stringify(await client.next())).toContain('payload.variables.p.v.id (line 1, column ');
    client.socket.close();
  });

  it('an output that would be changed fails its task; one that survives is handed on exactly', async () => {
    const task = (line: string) =>
      `name: output\ntasks:\n  - key: a\n    runner: shell\n    with: { command: 'echo "${line}" >> "$GANTRY_OUTPUT"' }\n`;
    expect((await apply(task('id:=9007199254740993'))).code).toBe(0);
    expect((await gantry('run', 'output', '--follow')).code).toBe(1);
    const text = await latest();
    expect(text).toContain('"code":"INEXACT_NUMBER"');
    expect(text).toContain('$GANTRY_OUTPUT, line 1: the value of id cannot be taken: line 1, column 5');
    expect(text).toContain(JSON.stringify('Write it as a string: "9007199254740993".'));
    expect((await apply(task('id=9007199254740993'))).code).toBe(0);
    expect((await gantry('run', 'output', '--follow')).code).toBe(0);
    expect(await latest()).toContain('"outputs":{"id":"9007199254740993"}');
  }, 60_000);

  it('items of a fan-out are what was written, or refused where they stand', async () => {
    const fan = (items: string) =>
      `name: fan\ntasks:\n  - key: a\n    forEach: ${items}\n    runner: shell\n    with: { command: 'echo "item=$GANTRY_ITEM" >> "$GANTRY_OUTPUT"' }\n`;
    const refused = await apply(fan('[3.10, 3.9]'));
    expect(refused.code).toBe(1);
    expect(refused.said + (await dryRun(fan('[3.10, 3.9]')))).toContain(
      '3.10 is a number here, and would be handed on as 3.1.',
    );
    expect((await apply(fan('["3.10", 3.9, 9007199254740992]'))).code).toBe(0);
    expect((await gantry('run', 'fan', '--follow')).code).toBe(0);
    const text = await latest();
    for (const item of ['3.10', '3.9', '9007199254740992']) expect(text).toContain(`"outputs":{"item":"${item}"}`);
  }, 60_000);

  async function dryRun(yaml: string): Promise<string> {
    const query =
      'mutation ($y: String!) { applyPipeline(input: { yaml: $y }) { ... on InvalidPipeline { problems { line column message } } } }';
    return ask(JSON.stringify({ query, variables: { y: yaml } }));
  }

  it('an answer of a service is understood as it comes, and its numbers reach the next task as they were written', async () => {
    const call = (as: string) => `name: call
tasks:
  - key: ask
    runner: http
    with:
      url: ${origin}/
      followRedirects: 1
      outputs:
        id: { jsonPointer: /id, as: ${as} }
        price: { jsonPointer: /price, as: text }
        name: { jsonPointer: /name }
  - key: use
    needs: [ask]
    runner: shell
    env: { ID: "\${{ tasks.ask.outputs.id }}", PRICE: "\${{ tasks.ask.outputs.price }}", NAME: "\${{ tasks.ask.outputs.name }}" }
    with: { command: 'echo "all=$ID $PRICE $NAME" >> "$GANTRY_OUTPUT"' }
`;
    expect((await apply(call('text'))).code).toBe(0);
    expect((await gantry('run', 'call', '--follow')).code).toBe(0);
    expect(await latest()).toContain('"outputs":{"all":"9007199254740993 3.10 Zoë"}');
    expect((await apply(call('value'))).code).toBe(0);
    expect((await gantry('run', 'call', '--follow')).code).toBe(1);
    expect(await latest()).toContain('id (line 1, column 7): 9007199254740993 is a number that cannot be kept exactly');
  }, 60_000);

  it('a pipeline is read in the encoding of its file, and one that is no text is refused with the line', async () => {
    expect((await apply(Buffer.from(`\uFEFF${PIPELINE}`, 'utf16le'))).code).toBe(0);
    const { code, said } = await apply(Buffer.from('name: values\ndescription: \xe9\n', 'latin1'));
    expect([code, said]).toEqual([2, expect.stringContaining('Line 2 (byte 28) is not UTF-8.')]);
  }, 60_000);
});
