import type { Json, JsonObject } from '@gantry/plugin-kit/vocabulary';
import type { Path } from './problem.ts';

/** Schemas and values are walked together; a schema that refers to itself without end is given up here. */
const MAX_STEPS = 20_000;

/** What the JSON Schema of a runner's config may say of a string, with `true`. */
export type StringMark =
  /** It is executed as it is written: data would be taken for code. */
  | 'x-literal'
  /** It is a secret, and is not written down. */
  | 'x-secret';

/**
 * How what is executed gets at data, as the schema says beside `x-literal`: a shell puts "$NAME" in, a program reads its
 * environment in its own language, and a word of a command is handed over as it is. A shell, unless it says so.
 */
export type Reads = 'shell' | 'program' | 'nothing';

/** A string that is marked, and where it is. */
export interface MarkedString {
  readonly path: Path;
  readonly text: string;
  readonly reads: Reads;
}

/** The strings of a value of which its JSON Schema says so much, there or above, and where they are. */
export function markedStrings(schema: Json, value: Json, mark: StringMark): readonly MarkedString[] {
  const found = new Map<string, MarkedString>();
  let steps = 0;

  function walk(rule: Json | undefined, part: Json, path: Path, isMarked: boolean, above: Reads | null): void {
    if (++steps > MAX_STEPS) return;
    const rules = isObject(rule) ? rule : {};
    const marked = isMarked || rules[mark] === true;
    const reads = readsOf(rules['x-reads']) ?? above;
    if (typeof part === 'string') {
      const place = JSON.stringify(path);
      const known = found.get(place);
      // What one branch of the schema says is not undone by another that says nothing.
      if (marked) found.set(place, { path, text: part, reads: reads ?? known?.reads ?? 'shell' });
    } else if (Array.isArray(part)) {
      const first = rules['prefixItems'];
      for (const [at, item] of (part as readonly Json[]).entries()) {
        const own = Array.isArray(first) ? (first as readonly Json[])[at] : undefined;
        walk(own ?? rules['items'], item, [...path, at], marked, reads);
      }
    } else if (isObject(part)) {
      const properties = rules['properties'];
      for (const [key, inner] of Object.entries(part)) {
        const own = isObject(properties) && Object.hasOwn(properties, key) ? properties[key] : undefined;
        walk(own ?? rules['additionalProperties'], inner, [...path, key], marked, reads);
      }
    }
    const target = typeof rules['$ref'] === 'string' ? definitionAt(schema, rules['$ref']) : undefined;
    if (target !== undefined) walk(target, part, path, marked, reads);
    for (const keyword of ['anyOf', 'oneOf', 'allOf']) {
      const branches = rules[keyword];
      if (Array.isArray(branches))
        for (const branch of branches as readonly Json[])
          // How a line is read says nothing of words, and the other way round.
          if (fits(branch, part)) walk(branch, part, path, marked, reads);
    }
  }

  walk(schema, value, [], false, null);
  return [...found.values()];
}

const readsOf = (value: Json | undefined): Reads | null =>
  value === 'shell' || value === 'program' || value === 'nothing' ? value : null;

/** Whether a schema, as far as it names a type, is of such a value. */
function fits(schema: Json, value: Json): boolean {
  const type = isObject(schema) ? schema['type'] : undefined;
  if (typeof type !== 'string') return true;
  if (typeof value === 'string') return type === 'string';
  return Array.isArray(value) ? type === 'array' : type !== 'string' && type !== 'array';
}

/** The schema that a local reference (`#/$defs/text`) names. */
function definitionAt(schema: Json, reference: string): Json | undefined {
  if (!reference.startsWith('#')) return undefined;
  let found: Json | undefined = schema;
  for (const step of reference.slice(1).split('/').slice(1)) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    found = isObject(found) && Object.hasOwn(found, key) ? found[key] : undefined;
  }
  return found;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
