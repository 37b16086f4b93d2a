import { describe, expect, it } from '@jest/globals';
import { parse as parseYamlText } from 'yaml';
import * as z from 'zod';
import { pipelineJsonSchema } from '../../server/definition/schema.ts';
import type { PipelineDefinition } from '../../server/domain/pipeline.ts';
import { parseDefinition, parseYaml, problemsOf } from './runners.ts';

const WORD_COUNT = `name: word-count
params:
  corpus: { type: string, default: data/corpus.txt }
tasks:
  - key: split
    runner: shell
    with: { command: "split $CORPUS" }
    env: { CORPUS: "\${{ params.corpus }}" }
    resources: { cpu: 500m, memory: 128Mi }
  - key: count
    needs: [split]
    forEach: \${{ tasks.split.outputs.parts }}
    runner: shell
    with: { command: count, input: "\${{ item }} of \${{ index }}" }
    retry: { max: 2, backoff: exponential, delay: 1s }
    timeout: 5m
  - key: merge
    needs: count
    runner: http
    with: { url: "\${{ params.corpus }}", timeoutSeconds: "\${{ tasks.split.outputs.wait }}" }
    tolerations: [{ key: spot }]
    nodeSelector: { zone: north }
    allowFailure: true
`;

function definitionOf(yaml: string): PipelineDefinition {
  const result = parseYaml(yaml);
  expect(problemsOf(result)).toEqual([]);
  if (!result.ok) throw new Error('The pipeline has problems.');
  return result.definition;
}

const withTask = (lines: string): string =>
  `name: p\ntasks:\n  - key: a\n    runner: shell\n    with: { command: x }\n${lines}`;

describe('a pipeline', () => {
  it('gets every default', () => {
    expect(definitionOf(withTask(''))).toEqual({
      name: 'p',
      description: '',
      pool: 'default',
      priority: 0,
      params: {},
      tasks: [
        {
          key: 'a',
          description: '',
          runner: 'shell',
          with: { command: 'x' },
          env: {},
          needs: [],
          forEach: null,
          resources: { cpu: 100, memory: 67_108_864, slots: 1 },
          nodeSelector: {},
          tolerations: [],
          retry: { max: 0, backoff: 'exponential', delayMs: 1000, maxDelayMs: 300_000 },
          timeoutMs: null,
          killGraceMs: 10_000,
          allowFailure: false,
          placement: null,
          onNodeLost: 'RETRY',
          idempotent: null,
        },
      ],
    });
  });

  it('keeps what its author wrote', () => {
    const [split, count, merge] = definitionOf(WORD_COUNT).tasks;
    expect(split?.resources).toEqual({ cpu: 500, memory: 134_217_728, slots: 1 });
    expect(count).toMatchObject({ forEach: '${{ tasks.split.outputs.parts }}', timeoutMs: 300_000, retry: { max: 2 } });
    expect(merge).toMatchObject({ needs: ['count'], tolerations: [{ key: 'spot' }], allowFailure: true });
  });

  it('may ask for nothing of a resource', () => {
    expect(definitionOf(withTask('    resources: { cpu: 0 }\n')).tasks[0]?.resources).toEqual({
      cpu: 0,
      memory: 67_108_864,
      slots: 1,
    });
  });

  it('takes retry as a number, needs as a word, and a field that is empty as absent', () => {
    const [, task] = definitionOf(
      'name: p\ntasks:\n  - { key: a, runner: shell, with: { command: x } }\n' +
        '  - { key: b, runner: shell, with: { command: x }, needs: a, retry: 3, timeout: , env: }\n',
    ).tasks;
    expect(task).toMatchObject({ needs: ['a'], retry: { max: 3, delayMs: 1000 }, timeoutMs: null, env: {} });
  });

  it('has a longest delay that is at least its delay', () => {
    expect(definitionOf(withTask('    retry: { max: 1, delay: 1h }\n')).tasks[0]?.retry.maxDelayMs).toBe(3_600_000);
  });

  it('may read the outputs of tasks that it needs through others', () => {
    expect(definitionOf(WORD_COUNT).tasks[2]?.with['timeoutSeconds']).toBe('${{ tasks.split.outputs.wait }}');
  });

  it('cannot be changed afterwards', () => {
    const definition = definitionOf(WORD_COUNT);
    const open: unknown[] = [definition];
    for (let each = open.pop(); each !== undefined; each = open.pop()) {
      if (typeof each !== 'object' || each === null) continue;
      expect(Object.isFrozen(each)).toBe(true);
      open.push(...Object.values(each).filter((inner) => inner !== null && inner !== undefined));
    }
  });

  it('comes back with its text, and without one when it came as data', () => {
    const fromText = parseYaml(WORD_COUNT);
    const fromData = parseDefinition(parseYamlText(WORD_COUNT));
    expect(fromText.ok && fromText.source).toBe(WORD_COUNT);
    expect(fromData.ok && fromData.source).toBeNull();
    expect(fromData.ok && fromData.definition).toEqual(fromText.ok && fromText.definition);
  });

  it('may come as GraphQL input, whose objects have no prototype', () => {
    const bare = (value: object): object => Object.assign(Object.create(null) as object, value);
    const input = bare({
      name: 'p',
      tasks: [bare({ key: 'a', runner: 'shell', with: bare({ command: 'x' }), env: null })],
    });
    expect(problemsOf(parseDefinition(input))).toEqual([]);
  });

  it('that came as data has problems without a place in a text', () => {
    expect(problemsOf(parseDefinition({ name: 'p', tasks: [{ key: 'a', runner: 'ftp' }] }))).toEqual([
      'null:null UNKNOWN_RUNNER tasks.0.runner',
    ]);
  });
});

describe('whether a task is idempotent', () => {
  const yaml = (pipeline: string, task: string): string =>
    `name: p\n${pipeline}tasks:\n  - key: a\n    runner: shell\n    with: { command: x }\n${task}`;
  const said = (pipeline: string, task: string) => definitionOf(yaml(pipeline, task)).tasks[0]!.idempotent;

  it('is what it says, then what its pipeline says, and else unsaid', () => {
    expect(said('', '')).toBeNull();
    expect(said('idempotent: false\n', '')).toBe(false);
    expect(said('idempotent: false\n', '    idempotent: true\n')).toBe(true);
    expect(said('', '    idempotent: false\n')).toBe(false);
  });

  it('is yes or no, and nothing else', () => {
    expect(problemsOf(parseYaml(yaml('', '    idempotent: maybe\n')))).toEqual(['6:17 WRONG_TYPE tasks.0.idempotent']);
  });

  it('is kept by the canonical text, which is that of before where nobody says so', () => {
    const canonical = (pipeline: string, task: string): string => {
      const result = parseYaml(yaml(pipeline, task));
      return result.ok ? result.canonical : '';
    };
    expect(canonical('', '')).not.toContain('idempotent');
    expect(canonical('idempotent: true\n', '')).toBe(canonical('', '    idempotent: true\n'));
    expect(canonical('idempotent: true\n', '')).toContain('"idempotent":true');
  });
});

describe('the canonical text', () => {
  const canonicalOf = (yaml: string): string => {
    const result = parseYaml(yaml);
    return result.ok ? result.canonical : '';
  };

  it('is the same for the same pipeline, however it is written', () => {
    const other = `# a comment
tasks:
- {runner: shell, with: {command: x}, key: a, timeout: PT5M, resources: {memory: 65536Ki, cpu: 0.1}, retry: 0}
name: "p"
`;
    expect(canonicalOf(withTask('    timeout: 300s\n'))).toBe(canonicalOf(other));
  });

  it('is another one when anything has changed', () => {
    expect(canonicalOf(withTask('    timeout: 300s\n'))).not.toBe(canonicalOf(withTask('    timeout: 301s\n')));
  });

  it('is a pipeline itself, and the same one', () => {
    const result = parseYaml(WORD_COUNT);
    const again = parseDefinition(JSON.parse(result.ok ? result.canonical : 'null'));
    expect(problemsOf(again)).toEqual([]);
    expect(again.ok && again.definition).toEqual(result.ok && result.definition);
    expect(again.ok && again.canonical).toBe(result.ok && result.canonical);
    // JSON is YAML.
    expect(canonicalOf(result.ok ? result.canonical : '')).toBe(result.ok && result.canonical);
  });
});

describe('the JSON Schema', () => {
  const schema = z.fromJSONSchema(pipelineJsonSchema() as z.core.JSONSchema.JSONSchema);
  const isValid = (value: unknown): boolean => schema.safeParse(value).success;

  it('accepts what is accepted', () => {
    expect(isValid(parseYamlText(WORD_COUNT))).toBe(true);
  });

  it.each([
    ['an unknown field', { name: 'p', tasks: [{ key: 'a', runner: 'shell', neds: [] }] }],
    ['a bad key', { name: 'P', tasks: [{ key: 'a', runner: 'shell' }] }],
    ['no tasks', { name: 'p', tasks: [] }],
    ['no runner', { name: 'p', tasks: [{ key: 'a' }] }],
  ])('refuses %s', (_situation, value) => {
    expect(isValid(value)).toBe(false);
  });

  it('describes every field', () => {
    const undescribed: string[] = [];
    const walk = (rule: unknown, path: string): void => {
      if (typeof rule !== 'object' || rule === null) return;
      const { properties, ...others } = rule as { readonly properties?: Readonly<Record<string, object>> };
      for (const [name, inner] of Object.entries(properties ?? {})) {
        if (!('description' in inner)) undescribed.push(`${path}.${name}`);
        walk(inner, `${path}.${name}`);
      }
      for (const [name, inner] of Object.entries(others)) walk(inner, `${path}.${name}`);
    };
    walk(pipelineJsonSchema(), '');
    expect(undescribed).toEqual([]);
  });
});
