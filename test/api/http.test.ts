import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { serverAudits } from 'graphql-http';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { aDefinition, aTask } from '../support/builders.ts';
import { startApi, type TestApi } from '../support/api-server.ts';
import { StoreUnavailable } from '../../server/store/store.ts';

let api: TestApi;
let isDatabaseGone = false;
beforeAll(async () => {
  api = await startApi({
    wrap: (store) => ({
      ...store,
      nodes: {
        ...store.nodes,
        page: (...call) =>
          isDatabaseGone ? Promise.reject(new StoreUnavailable('10.0.0.7 refused')) : store.nodes.page(...call),
        byNames: () => Promise.reject(new TypeError('a bug with a secret: hunter2')),
      },
    }),
  });
  await api.apply();
});
afterAll(() => api.stop());

const authorization = () => ({ authorization: `Bearer ${api.secrets.ADMIN}` });

/** A request whose path is sent as it is, which fetch would not do. */
function rawStatus(path: string, method = 'GET'): Promise<number> {
  const { hostname, port } = new URL(api.url);
  return new Promise((resolve, reject) => {
    httpRequest({ hostname, port, path, method, headers: authorization() }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });
}

describe('GraphQL over HTTP', () => {
  it('passes the whole audit of graphql-http', async () => {
    const audits = serverAudits({
      url: `${api.url}/graphql`,
      fetchFn: (input: string, init: RequestInit = {}) => {
        const headers = new Headers(init.headers);
        headers.set('authorization', `Bearer ${api.secrets.ADMIN}`);
        return fetch(input, { ...init, headers });
      },
    });
    const results = await Promise.all(audits.map((audit) => audit.fn()));
    const failures = results.flatMap((result) =>
      result.status === 'ok' ? [] : [`${result.status} ${result.name}: ${result.reason}`],
    );
    expect(failures).toEqual([]);
    expect(results.length).toBeGreaterThan(55);
  });

  it('answers 401 with a code to who has no token or a bad one, before anything is parsed', async () => {
    for (const token of [null, 'nothing', 'gantry_', `${api.secrets.ADMIN}x`]) {
      const { status, json, headers } = await api.post('{ not even json', { token });
      expect(status).toBe(401);
      expect(json.errors[0].extensions.code).toBe('UNAUTHENTICATED');
      expect(headers.get('www-authenticate')).toBe('Bearer');
    }
    const basic = await fetch(`${api.url}/graphql?query={viewer{name}}`, { headers: { authorization: 'Basic eDp5' } });
    expect(basic.status).toBe(401);
  });

  it('says what is wrong with a request that is none', async () => {
    const bad: [unknown, RegExp][] = [
      ['{ not json', /not JSON/],
      ['[]', /batches/],
      [[{ query: '{viewer{name}}' }], /batches/],
      ['"text"', /object/],
      ['null', /object/],
      [{}, /`query`/],
      [{ query: 1 }, /`query`/],
      [{ query: '{viewer{name}}', variables: [] }, /`variables`/],
      [{ query: '{viewer{name}}', operationName: {} }, /`operationName`/],
    ];
    for (const [body, message] of bad) {
      const { status, json } = await api.post(body);
      expect(status).toBe(400);
      expect(json.errors[0].message).toMatch(message);
    }
    const malformed = await api.post({ query: '{ viewer { ' });
    expect(malformed.json.errors[0].message).toMatch(/Syntax Error/);
    expect((await api.post('[['.repeat(200_000))).status).toBe(400);
    const ambiguous = await api.post({ query: 'query A {viewer{name}} query B {viewer{name}}' });
    expect(ambiguous.json.errors[0].message).toMatch(/operationName/);
  });

  it('refuses a body that is too large, and stays up', async () => {
    const { status, json } = await api.post({ query: '{viewer{name}}', variables: { a: 'x'.repeat(5_000_000) } });
    expect(status).toBe(413);
    expect(json.errors[0].extensions.code).toBe('TOO_LARGE');
    expect((await api.post({ query: '{viewer{name}}' })).status).toBe(200);
  });

  it('answers a pipeline of more than 1 MiB, and one that is nothing but brackets, with typed problems', async () => {
    const query =
      'mutation ($yaml: String) { applyPipeline(input: { yaml: $yaml }) { __typename ... on InvalidPipeline { problems { code message } } } }';
    for (const yaml of [`name: x\n# ${'y'.repeat(1_200_000)}`, `name: ${'['.repeat(10_000)}`]) {
      const { json } = await api.post({ query, variables: { yaml } });
      expect(json.data.applyPipeline.__typename).toBe('InvalidPipeline');
      expect(json.data.applyPipeline.problems.length).toBeGreaterThan(0);
    }
  });

  it('takes no form, no file and no query string for a mutation', async () => {
    const mutation = 'mutation { pausePipeline(input: { name: "work" }) { __typename } }';
    const types = ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'];
    for (const type of types) {
      const body = type.includes('urlencoded') ? `query=${encodeURIComponent(mutation)}` : mutation;
      const { status } = await api.post(body, { headers: { 'content-type': type } });
      expect(status).toBeGreaterThanOrEqual(400);
    }
    const url = `${api.url}/graphql?query=${encodeURIComponent(mutation)}`;
    const get = await fetch(url, { headers: authorization() });
    expect(get.status).toBe(405);
    const { json } = await api.post({ query: '{ pipeline(name: "work") { paused } }' });
    expect(json.data.pipeline.paused).toBe(false);
  });

  it('answers queries by GET under the same rules', async () => {
    const get = (query: string, token = api.secrets.VIEWER) =>
      fetch(`${api.url}/graphql?query=${encodeURIComponent(query)}`, { headers: { authorization: `Bearer ${token}` } });
    expect(await (await get('{ viewer { role } }')).json()).toEqual({ data: { viewer: { role: 'VIEWER' } } });
    expect(await (await get('{ tokens { id } }')).text()).toContain('FORBIDDEN');
    expect(await (await get(`{ ${'a: viewer { name } '.repeat(16)} }`)).text()).toContain('aliases');
    expect((await get('{ viewer { role } }', 'nothing')).status).toBe(401);
  });

  it('gives pages of other sites nothing, and pages of its own what they ask for', async () => {
    const { host, port } = new URL(api.url);
    const query = { query: '{viewer{name}}' };
    const foreign = ['https://evil.example', 'null', 'http://127.0.0.1:1', `http://${host}.evil.example`, 'file://'];
    for (const origin of foreign) {
      const { status, headers } = await api.post(query, { headers: { origin } });
      expect(status).toBe(403);
      expect(headers.get('access-control-allow-origin')).toBeNull();
    }
    expect((await api.post(query, { headers: { origin: `http://127.0.0.1:${port}` } })).status).toBe(200);
    const preflight = await fetch(`${api.url}/graphql`, {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example' },
    });
    expect(preflight.status).toBe(405);
    expect(preflight.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('knows its paths to the letter', async () => {
    const others = [
      '/graphql/',
      '//graphql',
      '/graphql/healthz',
      '/GraphQL',
      '/%67raphql',
      '/graphql%2F',
      '/graphql;a',
      '/./graphql',
      '/x/../graphql',
      '/healthz/',
      '/healthz/configs',
      '/HEALTHZ',
      '/readyz/..%2fgraphql',
      '/playground/',
      '/playground/x.js',
      '/playground/../server.ts',
      '/playground/setup.js/',
      '/__proto__',
      '/constructor',
      '*',
      '/graphql\\',
      '/api',
      '/metrics/',
    ];
    for (const path of others) expect([path, await rawStatus(path)]).toEqual([path, 404]);
    expect(await rawStatus('/graphql?query={viewer{name}}')).toBe(200);
    expect(await rawStatus('/graphql', 'DELETE')).toBe(405);
    expect(await rawStatus('/graphql', 'PUT')).toBe(405);
  });

  it('lives through what is no HTTP', async () => {
    const { hostname, port } = new URL(api.url);
    for (const text of [
      '\x00\x01\x02\r\n\r\n',
      'GET /graphql HTTP/9.9\r\n\r\n',
      `GET /${'a'.repeat(100_000)} HTTP/1.1\r\n\r\n`,
    ]) {
      await new Promise<void>((resolve) => {
        const socket = connect(Number(port), hostname, () => socket.write(text));
        socket
          .on('error', () => undefined)
          .on('close', () => resolve())
          .resume();
      });
    }
    expect((await api.post({ query: '{viewer{name}}' })).status).toBe(200);
  });

  it('sends headers that keep browsers from guessing, framing and caching', async () => {
    for (const path of ['/graphql', '/healthz', '/playground', '/nothing']) {
      const { headers } = await fetch(api.url + path);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      expect(headers.get('x-powered-by')).toBeNull();
    }
  });
});

describe('limits', () => {
  const over: [string, RegExp][] = [
    [
      `{ ${'a: viewer { name } '.repeat(16)} }`.replace(/a:/g, () => `a${Math.random().toString(36).slice(2)}:`),
      /aliases/,
    ],
    [
      `{ viewer { name ${'@include(if: true) '.repeat(1)} ${Array.from({ length: 21 }, () => '... @include(if: true) { name }').join(' ')} } }`,
      /directives/,
    ],
    [`{ viewer { ${'name '.repeat(2_000)} } }`, /Syntax Error: Document contains more than 2000 tokens/],
    [
      '{ runs { nodes { retryOf { retryOf { retryOf { retryOf { retryOf { retryOf { retryOf { retryOf { id } } } } } } } } } } }',
      /levels deep/,
    ],
    ['query { ...a } fragment a on Query { ...b } fragment b on Query { ...a }', /levels deep/],
    ['{ runs(first: 500) { nodes { taskRuns(first: 500) { nodes { id } } } } }', /yield/],
    ['{ runs(first: 501) { nodes { id } } }', /at most 500/],
    ['{ runs(first: -1) { nodes { id } } }', /at most 500/],
    ['{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }', /introspection depth/i],
  ];

  it('hold for what is posted', async () => {
    for (const [query, message] of over) {
      const { json } = await api.post({ query });
      expect(json.errors[0].message).toMatch(message);
      expect(json.data ?? null).toBeNull();
    }
  });

  it('count a page’s length also where it is a variable', async () => {
    const query = 'query ($n: Int) { runs(first: $n) { nodes { taskRuns(first: $n) { nodes { id } } } } }';
    expect((await api.post({ query, variables: { n: 10 } })).json.errors).toBeUndefined();
    expect((await api.post({ query, variables: { n: 200 } })).json.errors[0].extensions.code).toBe('QUERY_TOO_LARGE');
    const hidden = 'query ($n: Int = 400) { runs(first: $n) { nodes { taskRuns(first: $n) { nodes { id } } } } }';
    expect((await api.post({ query: hidden })).json.errors[0].extensions.code).toBe('QUERY_TOO_LARGE');
  });

  it('let GraphiQL’s introspection through', async () => {
    const { getIntrospectionQuery } = await import('graphql');
    const { json } = await api.post({ query: getIntrospectionQuery() });
    expect(json.errors).toBeUndefined();
    expect(json.data.__schema.types.length).toBeGreaterThan(50);
  });
});

describe('what goes wrong inside', () => {
  it('is told as an incident, and in full only to the operator', async () => {
    const { text, json } = await api.post({ query: '{ node(name: "a") { name } }' });
    expect(text).not.toContain('hunter2');
    expect(text).not.toContain('.ts');
    const { code, incident } = json.errors[0].extensions;
    expect(code).toBe('INTERNAL');
    expect(json.data).toEqual({ node: null });
    const note = api.notes.find(({ details }) => details['incident'] === incident);
    expect(String(note?.details['error'])).toContain('hunter2');
  });

  it('asks to come back when the database cannot be reached', async () => {
    isDatabaseGone = true;
    const { status, json, headers, text } = await api.post({ query: '{ nodes { nodes { name } } }' });
    isDatabaseGone = false;
    expect(status).toBe(503);
    expect(headers.get('retry-after')).toBe('5');
    expect(json.errors[0].extensions.code).toBe('UNAVAILABLE');
    expect(text).not.toContain('10.0.0.7');
  });

  it('says of a bad cursor that it is one', async () => {
    for (const after of ['', 'x', 'bm9uc2Vuc2U', '💥'.repeat(100)]) {
      const { json } = await api.post({
        query: 'query ($after: String) { runs(after: $after) { nodes { id } } }',
        variables: { after },
      });
      expect(json.errors[0].extensions.code).toBe('BAD_CURSOR');
    }
  });

  it('says nothing is there where an id is none, whatever it looks like', async () => {
    const ids = [
      '',
      'x',
      '1',
      "' OR '1'='1",
      '../..',
      '💥',
      'a.b.c',
      '00000000-0000-7000-8000-000000000000',
      'x'.repeat(10_000),
    ];
    for (const id of ids) {
      const { json } = await api.post({
        query: 'query ($id: ID!) { run(id: $id) { id } taskRun(id: $id) { id } }',
        variables: { id },
      });
      expect(json).toEqual({ data: { run: null, taskRun: null } });
    }
  });
});

describe('the health of the server', () => {
  it('is told without a token, and without a word about its users', async () => {
    expect((await fetch(`${api.url}/healthz`)).status).toBe(200);
    expect(await (await fetch(`${api.url}/readyz`)).json()).toEqual({ status: 'ready', reasons: [] });
    api.unready.push('The database does not answer.');
    const response = await fetch(`${api.url}/readyz`);
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ status: 'not ready', reasons: ['The database does not answer.'] });
    api.unready.length = 0;
  });
});

describe('metrics', () => {
  it('are for whoever has a token, in the form of Prometheus', async () => {
    expect((await fetch(`${api.url}/metrics`)).status).toBe(401);
    const headers = { authorization: `Bearer ${api.secrets.VIEWER}` };
    const response = await fetch(`${api.url}/metrics`, { headers });
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=/);
    const text = await response.text();
    for (const line of ['gantry_queue_length{pool="default"} 0', 'gantry_scheduler_healthy{pool="default"} 1']) {
      expect(text).toContain(line);
    }
    expect(text).toMatch(/^process_resident_memory_bytes \d+$/m);
  });
});

describe('the playground', () => {
  it('is served from this server alone, with no inline script', async () => {
    const page = await fetch(`${api.url}/playground`);
    const html = await page.text();
    expect(html).not.toMatch(/<script(?! src="\/playground\/)/);
    expect(html).not.toMatch(/https?:\/\//);
    expect(page.headers.get('content-security-policy')).toMatch(/script-src 'self';/);
    for (const [, path] of html.matchAll(/(?:src|href)="(\/[^"]+)"/g)) {
      const file = await fetch(api.url + path!);
      expect([path, file.status]).toEqual([path, 200]);
      expect((await file.text()).length).toBeGreaterThan(50);
    }
  });

  it('begins with operations that this schema can run', async () => {
    const { parse, validate } = await import('graphql');
    const { schema } = await import('../../server/api/schema.ts');
    const script = await (await fetch(`${api.url}/playground/start.js`)).text();
    const examples = [...script.matchAll(/`(# [^`]+)`/g)].map(([, text]) => text!);
    expect(examples).toHaveLength(5);
    for (const example of examples) expect(validate(schema, parse(example))).toEqual([]);
  });
});

describe('runs', () => {
  it('are triggered once per idempotency key', async () => {
    const definition = aDefinition([aTask('one')], {
      name: 'greet',
      params: { name: { type: 'string', description: 'Whom.' } },
    });
    await api.apply(definition);
    const query = `mutation ($input: TriggerRunInput!) { triggerRun(input: $input) {
      __typename ... on TriggerRunPayload { isRepeated run { id params pipelineName } } ... on Error { message }
      ... on InvalidParams { problems { code path } } } }`;
    const trigger = async (input: object) => (await api.post({ query, variables: { input } })).json.data.triggerRun;
    const first = await trigger({ pipeline: 'greet', params: { name: 'Ada' }, idempotencyKey: 'k' });
    expect(first).toMatchObject({ isRepeated: false, run: { params: { name: 'Ada' } } });
    expect(await trigger({ pipeline: 'greet', params: { name: 'Ada' }, idempotencyKey: 'k' })).toEqual({
      ...first,
      isRepeated: true,
    });
    expect(await trigger({ pipeline: 'greet', params: { name: 'Bob' }, idempotencyKey: 'k' })).toMatchObject({
      __typename: 'IdempotencyConflict',
    });
    expect(await trigger({ pipeline: 'greet' })).toMatchObject({
      __typename: 'InvalidParams',
      problems: [{ code: 'MISSING_PARAM', path: ['name'] }],
    });
    expect(await trigger({ pipeline: 'greet', params: [] })).toMatchObject({ __typename: 'InvalidParams' });
    expect(await trigger({ pipeline: 'gone' })).toMatchObject({ __typename: 'PipelineNotFound' });
    await api.post({ query: 'mutation { pausePipeline(input: { name: "greet" }) { __typename } }' });
    expect(await trigger({ pipeline: 'greet', params: { name: 'Ada' } })).toMatchObject({
      __typename: 'PipelinePaused',
    });
    // What was begun before the pause is still answered: the caller may only have lost the answer.
    expect(await trigger({ pipeline: 'greet', params: { name: 'Ada' }, idempotencyKey: 'k' })).toEqual({
      ...first,
      isRepeated: true,
    });
  });

  it('are cancelled, and refuse it with a type of their own once they have ended', async () => {
    const run = await api.addRun(1);
    const query =
      'mutation ($id: ID!) { cancelRun(input: { id: $id }) { __typename ... on CancelRunPayload { run { state } } } }';
    const cancel = async (id: string) => (await api.post({ query, variables: { id } })).json.data.cancelRun;
    expect(await cancel(run.id)).toEqual({ __typename: 'CancelRunPayload', run: { state: 'CANCELLED' } });
    expect(await cancel(run.id)).toEqual({ __typename: 'RunAlreadyFinished' });
    expect(await cancel('00000000-0000-7000-8000-000000000000')).toEqual({ __typename: 'RunNotFound' });
  });
});
