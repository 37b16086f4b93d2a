import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aDefinition, aTask } from '../support/builders.ts';
import { startApi, type TestApi } from '../support/api-server.ts';
import { signedIn } from './socket-client.ts';

/*
 * Numbers that no double holds, on every way by which JSON reaches the API. The bodies are texts: a client that builds
 * them with JSON.stringify has changed the number before anybody could refuse it.
 */

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
  await api.apply(
    aDefinition([aTask('one')], {
      params: { v: { type: 'json', description: '' }, n: { type: 'number', description: '', default: 0 } },
    }),
  );
});
afterAll(() => api.stop());

const TRIGGER = `mutation ($input: TriggerRunInput!) { triggerRun(input: $input) {
  __typename ... on TriggerRunPayload { run { id params } } ... on Error { message } } }`;
const body = (params: string, query = TRIGGER) =>
  `{"query":${JSON.stringify(query)},\n"variables":{"input":{"pipeline":"work","params":${params}}}}`;

const INEXACT: readonly [params: string, path: string, becomes: string][] = [
  ['{"v": 9007199254740993}', 'variables.input.params.v', '9007199254740992'],
  ['{"v": {"deep": [1, -18446744073709551616]}}', 'variables.input.params.v.deep[1]', '-18446744073709552000'],
  ['{"v": 1, "n": 0.1234567890123456789}', 'variables.input.params.n', '0.12345678901234568'],
];

describe.each([
  ['POST', {}],
  ['POST for an event stream', { accept: 'text/event-stream' }],
  ['POST for a GraphQL response', { accept: 'application/graphql-response+json' }],
])('JSON by %s', (_, headers) => {
  it.each(INEXACT)(
    'with a number that would be changed is refused with its place: %s',
    async (params, path, becomes) => {
      const { status, text } = await post(body(params), headers);
      expect(status).toBe(400);
      expect(text).toContain(`${path} (line 2, column `);
      expect(text).toContain(`it would become ${becomes}`);
      expect(text).toContain('Write it as a string');
      expect(text).toContain('BAD_USER_INPUT');
    },
  );

  it('with a number beyond all, or a key written twice, is refused with its place', async () => {
    const beyond = await post(body('{"v": 1e400}'), headers);
    expect([beyond.status, beyond.text]).toEqual([400, expect.stringContaining('it is beyond the largest one')]);
    const twice = await post(body('{"v": 1, "v": 2}'), headers);
    expect([twice.status, twice.text]).toEqual([400, expect.stringContaining('“v” is written twice')]);
  });

  it('is taken where every number survives, also behind a byte order mark', async () => {
    const params = '{"v": [9007199254740992, 0.1, 3.10, 1e21, "9007199254740993"]}';
    const { text } = await post(`\uFEFF${body(params)}`, headers);
    expect(text).toContain('"params":{"v":[9007199254740992,0.1,3.1,1e+21,"9007199254740993"],"n":0}');
  });

  it('that is not UTF-8 is refused, never guessed', async () => {
    const { status, text } = await post(Buffer.from(body('{"v": "caf\u00e9"}'), 'latin1'), headers);
    expect([status, text]).toEqual([400, expect.stringContaining('not UTF-8')]);
  });
});

async function post(content: string | Buffer, headers: Readonly<Record<string, string>>) {
  const response = await fetch(`${api.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'Application/JSON', authorization: `Bearer ${api.secrets.ADMIN}`, ...headers },
    body: typeof content === 'string' ? Buffer.from(content) : new Uint8Array(content),
  });
  return { status: response.status, text: await response.text() };
}

describe('a body', () => {
  it('in another charset or encoding is refused by name', async () => {
    const latin = await post(body('{"v":1}'), { 'content-type': 'application/json; charset=latin1' });
    expect([latin.status, latin.text]).toEqual([415, expect.stringContaining('in UTF-8')]);
    const packed = await post(gzipSync(body('{"v":1}')), { 'content-encoding': 'gzip' });
    expect([packed.status, packed.text]).toEqual([415, expect.stringContaining('without gzip')]);
  });
});

describe('JSON in the address of a GET', () => {
  it.each(['', 'text/event-stream'])('is held to the same rules (accept: %j)', async (accept) => {
    const get = async (variables: string) => {
      const query = 'query ($f: RunFilter) { runs(filter: $f, first: 1) { nodes { id } } }';
      const address = `${api.url}/graphql?${new URLSearchParams({ query, variables }).toString()}`;
      const headers = { authorization: `Bearer ${api.secrets.ADMIN}`, ...(accept === '' ? {} : { accept }) };
      const response = await fetch(address, { headers });
      return { status: response.status, text: await response.text() };
    };
    const refused = await get('{"f":{"x":9007199254740993}}');
    expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('f.x (line 1, column 11)')]);
    const bad = await get('{');
    expect([bad.status, bad.text]).toEqual([400, expect.stringContaining('`variables` is not JSON')]);
    expect((await get('{"f":null}')).text).toContain('"nodes"');
  });
});

describe('JSON over a WebSocket', () => {
  it('with a number that would be changed is refused with its place, and the socket stays', async () => {
    const client = await signedIn(api.url, api.secrets.ADMIN);
    const say = (id: string, params: string) =>
      client.send(`{"type":"subscribe","id":"${id}","payload":${body(params)}}`);
    for (const [params, path, becomes] of INEXACT) {
      say('bad', params);
      const message = await client.next();
      expect(message).toMatchObject({ id: 'bad', type: 'error' });
      expect(message.payload[0].message).toContain(`payload.${path} (line 2, column `);
      expect(message.payload[0].message).toContain(becomes);
    }
    say('twice', '{"v":1,"v":2}');
    expect(await client.next()).toMatchObject({ id: 'twice', type: 'error' });
    say('good', '{"v":[9007199254740992]}');
    expect(await client.next()).toMatchObject({
      id: 'good',
      payload: { data: { triggerRun: { run: { params: { v: [9007199254740992], n: 0 } } } } },
    });
    client.socket.close();
  });
});

describe('JSON in the text of an operation', () => {
  const trigger = (v: string) =>
    api.post({
      query: `mutation { triggerRun(input: { pipeline: "work", params: { v: ${v} } }) {
        __typename ... on TriggerRunPayload { run { params } } ... on Error { message } } }`,
    });

  it.each([
    ['9007199254740993', 'v: 9007199254740993 is a number that cannot be kept exactly'],
    ['[{ a: 0.1234567890123456789 }]', 'v[0].a: 0.1234567890123456789'],
    ['1e400', 'v: 1e400'],
    ['[WORD]', 'v[0]: WORD is not JSON'],
  ])('is held to the same rules: %s', async (v, message) => {
    const { json } = await trigger(v);
    expect(JSON.stringify(json.errors)).toContain(message);
  });

  it('is taken where it survives', async () => {
    const { json } = await trigger('[9007199254740992, { a: 0.1 }, "9007199254740993"]');
    expect(json.data.triggerRun.run.params.v).toEqual([9007199254740992, { a: 0.1 }, '9007199254740993']);
  });
});
