import type { Json, JsonObject } from '@gantry/plugin-kit/vocabulary';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hasExpression, parseReferences, render, type SecretPlace } from '../../server/domain/expression.ts';

const WORDS = [
  '${{',
  '}}',
  ' ',
  '.',
  '[',
  ']',
  '"',
  "'",
  '\\',
  '0',
  '12',
  '-',
  '\n',
  '(',
  ')',
  '$',
  '{',
  '}',
  'é',
  '\uD800',
  'params',
  'tasks',
  'split',
  'outputs',
  'parts',
  'item',
  'index',
  'constructor',
  '__proto__',
  'corpus',
  'count',
];

const scope = {
  params: { corpus: 'data.txt', count: 3, isDry: false, nothing: null, evil: '${{ params.corpus }}' },
  tasks: {
    split: { outputs: { parts: [{ path: 'a', 'odd key': 1 }, { path: 'b' }], 'a"b': 2 } },
    'count-all_2': { outputs: { total: 7 } },
  },
  item: { name: 'x' },
  index: 0,
  run: { id: 'r1' },
} as const satisfies JsonObject;

const valueOf = (text: Json): unknown => {
  const rendered = render(text, scope);
  return rendered.ok ? rendered.value : rendered.reason.code;
};

describe('a string that is one expression', () => {
  it.each<[string, Json]>([
    ['${{ params.corpus }}', 'data.txt'],
    ['${{params.count}}', 3],
    ['${{ params.isDry }}', false],
    ['${{ params.nothing }}', null],
    ['${{ index }}', 0],
    ['${{ run.id }}', 'r1'],
    ['${{ item }}', { name: 'x' }],
    ['${{ item.name }}', 'x'],
    ['${{ tasks.split.outputs.parts[1].path }}', 'b'],
    ['${{ tasks.split.outputs.parts[0]["odd key"] }}', 1],
    ["${{ tasks.split.outputs.parts[0]['odd key'] }}", 1],
    ['${{ tasks.split.outputs["a\\"b"] }}', 2],
    ['${{ tasks.count-all_2.outputs.total }}', 7],
    ['${{ tasks["count-all_2"].outputs }}', { total: 7 }],
    ['${{\n  params.count\n}}', 3],
  ])('%s keeps the type of its value', (text, value) => {
    expect(valueOf(text)).toEqual(value);
  });
});

describe('expressions in a longer string', () => {
  it('become text: strings as they are, everything else as JSON', () => {
    expect(valueOf('${{ params.corpus }}: ${{ params.count }} ${{ params.nothing }} ${{ item }}!')).toBe(
      'data.txt: 3 null {"name":"x"}!',
    );
    expect(valueOf(' ${{ params.count }}')).toBe(' 3');
  });

  it('are read once: what they put in is data', () => {
    expect(valueOf('${{ params.evil }}')).toBe('${{ params.corpus }}');
    expect(valueOf('x${{ params.evil }}')).toBe('x${{ params.corpus }}');
  });
});

describe('rendering', () => {
  it('goes through lists and maps and leaves keys alone', () => {
    expect(valueOf({ a: ['${{ index }}', { b: '${{ run.id }}' }], '${{ index }}': 1 })).toEqual({
      a: [0, { b: 'r1' }],
      '${{ index }}': 1,
    });
  });

  it('answers with the same object where there is nothing to render', () => {
    const value = { plain: { list: [1, { deep: 'x' }] }, mixed: '${{ index }}' };
    const rendered = render(value, scope);
    expect(rendered.ok && (rendered.value as typeof value).plain).toBe(value.plain);
    const plain = render(value.plain, scope);
    expect(plain.ok && plain.value).toBe(value.plain);
    expect(value.mixed).toBe('${{ index }}');
  });

  it.each([
    ['${{ params.corpse }}', '“params.corpse” does not exist: in “params” there is only corpus,', '“corpus”'],
    ['${{ tasks.split.outputs.parts[2].path }}', '“tasks.split.outputs.parts” is a list of 2', 'counted from 0'],
    ['${{ tasks.split.outputs.parts.path }}', 'is a list of 2', '[0]'],
    ['${{ tasks.split.outputs.parts.length }}', 'is a list of 2', '[0]'],
    ['${{ params.corpus.length }}', '“params.corpus” is a string', undefined],
    ['${{ params.nothing.x }}', '“params.nothing” is null', undefined],
    ['${{ tasks.other.outputs }}', 'in “tasks” there is only split, count-all_2', undefined],
  ])('refuses %s and says what is there', (text, message, remedy) => {
    const rendered = render(text, scope);
    const reason = rendered.ok ? null : rendered.reason;
    expect(reason?.code).toBe('EXPRESSION_UNRESOLVED');
    expect(reason?.message).toContain(message);
    if (remedy === undefined) expect(reason?.remedy).toBeUndefined();
    else expect(reason?.remedy).toContain(remedy);
  });

  it('refuses what grows too large', () => {
    const large = { params: { x: 'x'.repeat(1 << 20) } };
    expect(render('${{ params.x }}'.repeat(7), large).ok).toBe(true);
    const rendered = render(
      Array.from({ length: 9 }, () => '${{ params.x }}'),
      large,
    );
    expect(rendered.ok ? '' : rendered.reason.code).toBe('RENDERED_TOO_LARGE');
  });
});

describe('the limits', () => {
  const isRead = (text: string): boolean => parseReferences(text).ok;

  it('are 64 expressions in a string', () => {
    expect(isRead('${{ index }}'.repeat(64))).toBe(true);
    expect(isRead('${{ index }}'.repeat(65))).toBe(false);
  });

  it('are 32 steps in a path', () => {
    expect(isRead(`\${{ item${'.a'.repeat(31)} }}`)).toBe(true);
    expect(isRead(`\${{ item${'.a'.repeat(32)} }}`)).toBe(false);
  });

  it('are 64 KiB of text', () => {
    const expression = '${{ index }}';
    expect(isRead('x'.repeat(65_536 - expression.length) + expression)).toBe(true);
    expect(isRead('x'.repeat(65_537 - expression.length) + expression)).toBe(false);
  });

  it('do not apply to text without expressions', () => {
    expect(isRead('x'.repeat(100_000))).toBe(true);
  });
});

describe('references', () => {
  it('come with their place in the value and in the string', () => {
    const parsed = parseReferences({ a: ['x', 'y ${{ params.a }} ${{ tasks.b.outputs[0] }}'] });
    expect(parsed).toEqual({
      ok: true,
      references: [
        { path: ['params', 'a'], text: 'params.a', at: ['a', 1], offset: 2 },
        { path: ['tasks', 'b', 'outputs', 0], text: 'tasks.b.outputs[0]', at: ['a', 1], offset: 18 },
      ],
    });
  });

  it.each([
    ['${{', 0],
    ['x ${{ params.a', 2],
    ['${{ }}', 4],
    ['${{ params. }}', 10],
    ['${{ params.a b }}', 13],
    ['${{ .params }}', 4],
    ['${{ params[a] }}', 10],
    ['${{ params[-1] }}', 10],
    ['${{ params[01] }}', 10],
    ['${{ 1 + 1 }}', 6],
    ['${{ params.a | upper }}', 13],
    ['${{ "text" }}', 4],
    ['${{ a }} ${{ b c }}', 15],
    ['${{ params.é }}', 10],
  ])('of %s are a problem at offset %i', (text, offset) => {
    const parsed = parseReferences({ key: text });
    expect(parsed.ok ? null : parsed.problem).toMatchObject({ code: 'BAD_EXPRESSION', offset, at: ['key'] });
  });
});

describe('an attempt to escape', () => {
  // After the published escapes from n8n's expression sandbox (CVE-2025-68613, CVE-2026-27493, CVE-2026-72765,
  // CVE-2026-85165) and the usual ways to a constructor.
  const escapes = [
    'constructor',
    '__proto__',
    'params.constructor',
    'params.__proto__.polluted',
    'params["__proto__"]',
    "params['constructor']['constructor']('return process')()",
    "params.constructor.constructor(\"return process.mainModule.require('child_process').execSync('id')\")()",
    'params["const" + "ructor"]',
    'params[`constructor`]',
    'params["\\x63onstructor"]',
    'params["c\\onstructor"]',
    'item.toString.constructor("return this")()',
    'this.process.env',
    'this.constructor',
    'globalThis.process',
    'process.mainModule.require("fs")',
    '(function(){ return this.process })()',
    '(() => process)()',
    'new Function("return process")()',
    'Function`return process```',
    'Reflect.getPrototypeOf(params)',
    'Object.getOwnPropertyDescriptor(params, "x").value',
    'Error.prepareStackTrace = (e, t) => t',
    'eval("1")',
    'import("fs")',
    'require("fs")',
    'params.corpus.sub.call.call({}["constructor"].getOwnPropertyDescriptor)',
    'params.corpus.replace(/a/, () => process)',
    '[].filter.constructor("return process")()',
    '{}.constructor',
    '$json.constructor',
    '$evaluateExpression("1")',
    'params.toString',
    'params.hasOwnProperty',
    'params.valueOf',
    'tasks.split.outputs.parts.constructor',
    'tasks.split.outputs.parts.map',
    'tasks.split.outputs.parts["length"]',
    'params.corpus.length',
    'params.corpus[0]',
    'params.__defineGetter__',
    'params.prototype',
  ];

  it.each(escapes)('by %s is refused', (escape) => {
    const rendered = render(`\${{ ${escape} }}`, scope);
    expect(rendered.ok ? rendered.value : rendered.reason.code).toMatch(/^(BAD_EXPRESSION|EXPRESSION_UNRESOLVED)$/);
    expect(render(`x\${{ ${escape} }}`, scope).ok).toBe(false);
  });

  it('by what is not an own property is refused', () => {
    const inherited = { params: Object.create({ secret: 1 }) as JsonObject };
    expect(render('${{ params.secret }}', inherited).ok).toBe(false);
  });
});

describe('any text', () => {
  const word = fc.constantFrom(...WORDS);
  const texts = fc.oneof(
    fc.array(word, { maxLength: 30 }).map((words) => words.join('')),
    fc.array(word, { maxLength: 12 }).map((words) => `\${{ params${words.join('')} }}`),
    fc.string({ unit: 'binary' }),
  );

  it('is rendered or refused with a reason, and read and rendered alike', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const rendered = render(text, scope);
        const parsed = parseReferences(text);
        if (rendered.ok) expect(parsed.ok).toBe(true);
        else {
          expect(rendered.reason.message).not.toBe('');
          expect(parsed.ok).toBe(rendered.reason.code !== 'BAD_EXPRESSION');
        }
        if (!hasExpression(text)) expect(rendered).toEqual({ ok: true, value: text });
        if (!parsed.ok) {
          expect(parsed.problem.offset).toBeGreaterThanOrEqual(0);
          expect(parsed.problem.offset).toBeLessThanOrEqual(text.length);
        }
      }),
      { numRuns: 20_000 },
    );
  });

  it('leads only to what the scope holds', () => {
    const inside = new Set<unknown>();
    const walk = (value: unknown): void => {
      inside.add(value);
      if (typeof value === 'object' && value !== null) Object.values(value).forEach(walk);
    };
    walk(scope);
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), (words) => {
        const rendered = render(`\${{ ${words.join('')} }}`, scope);
        if (rendered.ok && typeof rendered.value !== 'string') expect(inside.has(rendered.value)).toBe(true);
      }),
      { numRuns: 10_000 },
    );
  });
});

describe('any value', () => {
  it('that holds no expression is answered as it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json = value as Json;
        if (hasExpression(json)) return;
        const rendered = render(json, scope);
        expect(rendered.ok && rendered.value).toBe(json);
      }),
    );
  });

  it('that is nested without end is refused', () => {
    const circle: { self?: Json } = {};
    circle.self = circle as Json;
    expect(hasExpression(circle as Json)).toBe(true);
    expect(render(circle as Json, scope).ok).toBe(false);
    expect(parseReferences(circle as Json).ok).toBe(false);
  });
});

describe('a secret', () => {
  const places = (value: Json, from: JsonObject = scope) => {
    const secrets: SecretPlace[] = [];
    return { rendered: render(value, from, secrets), secrets };
  };

  it('is told by its place in what is rendered, and is not there', () => {
    const value = {
      a: ['x', 'Bearer ${{ secrets.TOKEN }}:${{ params.p }}${{ secrets.OTHER }}'],
      b: '${{ secrets.TOKEN }}',
    };
    expect(places(value, { params: { p: 'é💚' } })).toEqual({
      rendered: { ok: true, value: { a: ['x', 'Bearer :é💚'], b: '' } },
      secrets: [
        { at: ['a', 1], offset: 7, name: 'TOKEN' },
        { at: ['a', 1], offset: 11, name: 'OTHER' },
        { at: ['b'], offset: 0, name: 'TOKEN' },
      ],
    });
  });

  it('is named by what was written, never by what was put in', () => {
    const text = '${{ secrets.TOKEN }}';
    const spelt = { params: { p: text }, secrets: { TOKEN: text } };
    expect(places('${{ params.p }} ${{ secrets.TOKEN }}', spelt)).toEqual({
      rendered: { ok: true, value: `${text} ` },
      secrets: [{ at: [], offset: text.length + 1, name: 'TOKEN' }],
    });
  });

  it('does not exist where none may be', () => {
    expect(render('${{ secrets.TOKEN }}', scope)).toMatchObject({
      ok: false,
      reason: { code: 'EXPRESSION_UNRESOLVED' },
    });
  });
});
