import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execute, type ExecutionResult, type GraphQLError } from 'graphql';
import { createContext } from '../../server/api/context.ts';
import { publicError } from '../../server/api/errors.ts';
import { Operations, type Operation } from '../../server/api/operations.ts';
import { schema } from '../../server/api/schema.ts';
import { aDefinition, aTask } from '../support/builders.ts';
import { startApi, type TestApi } from '../support/api-server.ts';
import type { Viewer } from '../../server/auth/viewer.ts';
import type { Run } from '../../server/domain/run.ts';
import type { Store } from '../../server/store/store.ts';

let api: TestApi;
let run: Run;
let calls: string[] = [];
let isBroken = false;
beforeAll(async () => {
  api = await startApi({ wrap: watched });
  const params = { name: { type: 'string' as const, description: 'Whom.', default: 'you', options: ['you', 'me'] } };
  await api.apply(aDefinition([aTask('one', { env: { A: '1' } }), aTask('two', { needs: ['one'] })], { params }));
  await api.addNode('alpha');
  run = await api.addRun(100, {
    params: { deep: [1, { a: null }], text: 'ü "quoted" \n' },
    createdAt: 1_700_000_000_000,
  });
  const [page] = await api.store.taskRuns.pagesOfRuns([run.id], { first: 100 }, {});
  for (const { row } of page!.rows.slice(0, 60)) {
    const hasFailed = row.ordinal % 3 === 0;
    await api.changeTaskRun(run, row, {
      state: hasFailed ? 'FAILED' : 'SUCCEEDED',
      finishedAt: 1_700_000_009_000,
      outputs: hasFailed ? null : { n: row.ordinal },
      attempt: {
        number: 1,
        node: row.ordinal % 2 === 0 ? 'alpha' : 'gone',
        state: hasFailed ? 'FAILED' : 'SUCCEEDED',
        assignedAt: 1_700_000_001_000,
        startedAt: 1_700_000_002_000,
        finishedAt: 1_700_000_009_000,
        failure: hasFailed ? { kind: 'OOM', reason: { code: 'OOM', message: 'Too much.' }, signal: 'SIGKILL' } : null,
      },
    });
  }
});
afterAll(() => api.stop());

/** Notes every read of the store, and breaks what the tests want broken. */
function watched(store: Store): Store {
  const wrap = <Part extends object>(name: string, part: Part): Part =>
    new Proxy(part, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          calls.push(`${name}.${String(key)}`);
          if (isBroken && name === 'nodes') return Promise.reject(new Error('broken'));
          return (value as (...args: unknown[]) => unknown).apply(target, args);
        };
      },
    });
  return {
    ...store,
    runs: wrap('runs', store.runs),
    taskRuns: wrap('taskRuns', store.taskRuns),
    nodes: wrap('nodes', store.nodes),
    pipelines: wrap('pipelines', store.pipelines),
    pools: wrap('pools', store.pools),
  };
}

const viewer: Viewer = { tokenId: 't', name: 'ada', role: 'ADMIN', expiresAt: null };

/** The result without what differs from call to call. */
function plain({ data, errors }: ExecutionResult): unknown {
  const told = errors?.map((error: GraphQLError) => {
    const { message, path, extensions } = publicError(error, () => undefined).toJSON();
    const { incident, ...rest } = extensions ?? {};
    return { message: incident === undefined ? message : 'incident', path, extensions: rest };
  });
  told?.sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
  return JSON.parse(JSON.stringify({ data, errors: told }));
}

const LIST = `query List($id: ID!, $first: Int = 100) {
  run(id: $id) {
    id state params createdAt duration
    taskRuns(first: $first) {
      pageInfo { hasNextPage endCursor }
      nodes {
        id taskKey state outputs finishedAt
        attempt { number state duration node { name heardAt } failure { kind message signal } }
        attempts { id number }
        run { id pipeline { name version { number } } pool { name } }
        task { key needs env { key value } retry { delay } }
      }
    }
  }
}`;

const CASES: readonly (readonly [about: string, query: string, variables?: Record<string, unknown>])[] = [
  ['scalars', '{ viewer { name role expiresAt __typename } }'],
  [
    'aliases and fragments',
    '{ a: viewer { ...V } b: viewer { n: name ... on Viewer { role } } } fragment V on Viewer { name }',
  ],
  ['merged fields', '{ viewer { name } viewer { role } }'],
  [
    'include and skip',
    'query ($yes: Boolean!, $no: Boolean!) { viewer { name @include(if: $no) role @skip(if: $no) a: name @include(if: $yes) @skip(if: $yes) } ... @include(if: $no) { pools { name } } }',
    { yes: true, no: false },
  ],
  ['a list with joins', LIST, { id: 'RUN' }],
  ['a list with a variable’s default overridden', LIST, { id: 'RUN', first: 3 }],
  [
    'nothing there',
    '{ run(id: "x") { id } node(name: "x") { name } pipeline(name: "x") { name } pool(name: "x") { name } taskRun(id: "x") { id } }',
  ],
  [
    'enums in and out',
    'query ($s: [RunState!]) { runs(filter: { states: $s, trigger: MANUAL }) { totalCount nodes { state trigger } } }',
    { s: ['QUEUED', 'FAILED'] },
  ],
  ['a bad enum', 'query ($s: [RunState!]) { runs(filter: { states: $s }) { totalCount } }', { s: ['NO'] }],
  ['a missing variable', 'query ($id: ID!) { run(id: $id) { id } }', {}],
  ['a wrong variable', 'query ($n: Int) { runs(first: $n) { nodes { id } } }', { n: 'x' }],
  ['a number too large', 'query ($n: Int) { runs(first: $n) { nodes { id } } }', { n: 2_147_483_648 }],
  ['an unknown input field', 'query ($f: RunFilter) { runs(filter: $f) { totalCount } }', { f: { nope: 1 } }],
  [
    'dates in',
    'query ($d: DateTime) { runs(filter: { createdAfter: $d, createdBefore: "2030-01-01T00:00:00Z" }) { nodes { createdAt } } }',
    { d: '2023-01-01T00:00:00+02:00' },
  ],
  [
    'a bad date in a variable',
    'query ($d: DateTime) { runs(filter: { createdAfter: $d }) { totalCount } }',
    { d: 'yesterday' },
  ],
  ['an error of a non-null field', '{ runs(first: 501) { nodes { id } } viewer { name } }'],
  ['an error of a nullable field', '{ a: viewer { name } run(id: "x") { taskRuns(first: 900) { nodes { id } } } }'],
  [
    'an error deep in a nullable',
    'query ($id: ID!) { run(id: $id) { id taskRuns(first: 501) { nodes { id } } } viewer { name } }',
    { id: 'RUN' },
  ],
  ['a bad cursor', '{ runs(after: "nonsense") { nodes { id } } }'],
  [
    'json in and out',
    'mutation ($d: JSON) { applyPipeline(input: { definition: $d, dryRun: true }) { __typename ... on InvalidPipeline { message problems { code path line } } ... on ApplyPipelinePayload { change version { definition } } } }',
    { d: { name: 'x', tasks: [{ key: 'a', runner: 'mock', with: { a: [1, { b: null }] } }] } },
  ],
  [
    'json as a literal',
    'mutation { applyPipeline(input: { definition: { name: "x", tasks: [{ key: "a", runner: "mock", needs: ["b"] }] }, dryRun: true }) { __typename ... on Error { message } ... on InvalidPipeline { problems { code } } } }',
  ],
  [
    'a variable within a json literal',
    'mutation ($k: JSON) { applyPipeline(input: { definition: { name: "x", tasks: [{ key: $k, runner: "mock" }] }, dryRun: true }) { ... on ApplyPipelinePayload { version { tasks { key } } } } }',
    { k: 'q' },
  ],
  [
    'unions and the interface',
    'mutation { triggerRun(input: { pipeline: "none" }) { __typename ... on Error { __typename message } ... on TriggerRunPayload { run { id } } } pausePipeline(input: { name: "none" }) { ... on PipelineNotFound { message } } }',
  ],
  ['bad input that a resolver finds', 'mutation { applyPipeline(input: {}) { __typename } }'],
  [
    'serial mutations',
    'mutation { a: pausePipeline(input: { name: "work" }) { ... on PausePipelinePayload { pipeline { paused } } } b: resumePipeline(input: { name: "work" }) { ... on ResumePipelinePayload { pipeline { paused } } } }',
  ],
  [
    'durations in',
    'mutation { createToken(input: { name: "no good name", role: VIEWER, expiresIn: "1h" }) { __typename } }',
  ],
  ['a bad duration', 'mutation { createToken(input: { name: "x", role: VIEWER, expiresIn: "soon" }) { __typename } }'],
  [
    'introspection',
    '{ __schema { queryType { name } } __type(name: "Run") { name fields { name type { kind name ofType { name } } } } }',
  ],
  [
    'plugins and pools',
    '{ plugins(kind: RUNNER) { name configSchema state } pools { name scheduler { name version config state } queueLength nodes { nodes { name labels { key } capacity { name quantity } runners { name health enforces } } } } }',
  ],
];

describe('a compiled operation', () => {
  it.each(CASES)('answers as graphql-js does: %s', async (about, query, given = {}) => {
    const variables = Object.fromEntries(
      Object.entries(given).map(([key, value]) => [key, value === 'RUN' ? run.id : value]),
    );
    const operation = await prepared(query);
    if (!('execute' in operation)) {
      // A literal that cannot be right is refused before anything runs.
      expect(operation.length).toBeGreaterThan(0);
      return;
    }
    const context = () => createContext(api.ports, viewer);
    const oracle = await execute({
      schema,
      document: operation.document,
      contextValue: context(),
      variableValues: variables,
    });
    expect(operation.isCompiled).toBe(about !== 'a variable within a json literal');
    const { data, errors } = plain(await operation.execute(undefined, context(), variables)) as ExecutionResult;
    const expected = plain(oracle) as ExecutionResult;
    expect(data).toEqual(expected.data);
    expect(errors?.length).toBe(expected.errors?.length);
    // The words of errors about variables are the compiler's own; which they are and where is the same.
    expect(errors?.map(({ path, extensions }) => ({ path, extensions }))).toEqual(
      expected.errors?.map(({ path, extensions }) => ({ path, extensions })),
    );
  });

  it('answers faults inside as graphql-js does, with nulls in the same places', async () => {
    const queries = [
      '{ viewer { name } nodes { nodes { name } } }',
      '{ viewer { name } node(name: "alpha") { name } }',
      'query ($id: ID!) { run(id: $id) { id taskRuns(first: 5) { nodes { id attempt { number node { name } } } } } }',
    ];
    for (const query of queries) {
      const operation = (await prepared(query)) as Operation;
      isBroken = true;
      const context = () => createContext(api.ports, viewer);
      const args = { schema, document: operation.document, variableValues: { id: run.id } };
      const oracle = await execute({ ...args, contextValue: context() });
      const result = await operation.execute(undefined, context(), { id: run.id });
      isBroken = false;
      expect(oracle.errors).toBeDefined();
      expect(plain(result)).toEqual(plain(oracle));
    }
  });

  it('is refused to whom it is not for, also by its resolvers alone', async () => {
    const operations = new Operations(schema);
    await operations.load();
    const context = () => createContext(api.ports, { ...viewer, role: 'VIEWER' });
    for (const query of ['{ tokens { id } }', 'mutation { deletePipeline(input: { name: "work" }) { __typename } }']) {
      const operation = operations.prepare(query, null) as Operation;
      expect(() => operations.admit(operation, context().viewer, {})).toThrow(/needs the role/);
      for (let call = 0; call < 4; call++) {
        const { data, errors } = await operation.execute(undefined, context(), {});
        expect(data ?? null).toBeNull();
        expect(publicError(errors![0]!, () => undefined).extensions['code']).toBe('FORBIDDEN');
      }
    }
  });
});

describe('a list with joins', () => {
  it('takes as many reads for a hundred task runs as for one', async () => {
    const operation = (await prepared(LIST)) as Operation;
    const readsOf = async (first: number) => {
      calls = [];
      const { data } = await operation.execute(undefined, createContext(api.ports, viewer), { id: run.id, first });
      const { nodes } = (data as { run: { taskRuns: { nodes: unknown[] } } }).run.taskRuns;
      expect(nodes).toHaveLength(first);
      return calls.sort();
    };
    const reads = await readsOf(100);
    expect(reads).toEqual(await readsOf(1));
    expect(reads.length).toBeLessThanOrEqual(8);
  });
});

describe('what is kept of documents', () => {
  it('is the same operation for the same text and name', () => {
    const operations = new Operations(schema);
    const text = 'query A { viewer { name } } query B { viewer { role } }';
    expect(operations.prepare(text, 'A')).toBe(operations.prepare(text, 'A'));
    expect(operations.prepare(text, 'B')).not.toBe(operations.prepare(text, 'A'));
  });

  it('is bounded: the oldest go', () => {
    const operations = new Operations(schema);
    const first = operations.prepare('{ viewer { name } } # first', null);
    for (let count = 0; count < 1_000; count++) operations.prepare(`{ viewer { name } } # ${count}`, null);
    expect(operations.prepare('{ viewer { name } } # first', null)).not.toBe(first);
    const recent = operations.prepare('{ viewer { name } } # 999', null);
    expect(operations.prepare('{ viewer { name } } # 999', null)).toBe(recent);
  });
});

/** An operation that has come often enough to be compiled. */
async function prepared(query: string): Promise<Operation | readonly GraphQLError[]> {
  const operations = new Operations(schema);
  await operations.load();
  const operation = operations.prepare(query, null);
  if (!('execute' in operation) || operation.isCompiled) return operation;
  operation.compile();
  return operation;
}
