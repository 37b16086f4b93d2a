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

/** The strings of a value of which its JSON Schema says so much, there or above, and where they are. */
export function markedStrings(
  schema: Json,
  value: Json,
  mark: StringMark,
): readonly { readonly path: Path; readonly text: string }[] {
  const found = new Map<string, { readonly path: Path; readonly text: string }>();
  let steps = 0;

  function walk(rule: Json | undefined, part: Json, path: Path, isMarked: boolean): void {
    if (++steps > MAX_STEPS) return;
    const rules = isObject(rule) ? rule : {};
    const marked = isMarked || rules[mark] === true;
    if (typeof part === 'string') {
      if (marked) found.set(JSON.stringify(path), { path, text: part });
    } else if (Array.isArray(part)) {
      const first = rules['prefixItems'];
      for (const [at, item] of (part as readonly Json[]).entries()) {
        const own = Array.isArray(first) ? (first as readonly Json[])[at] : undefined;
        walk(own ?? rules['items'], item, [...path, at], marked);
      }
    } else if (isObject(part)) {
      const properties = rules['properties'];
      for (const [key, inner] of Object.entries(part)) {
        const own = isObject(properties) && Object.hasOwn(properties, key) ? properties[key] : undefined;
        walk(own ?? rules['additionalProperties'], inner, [...path, key], marked);
      }
    }
    const target = typeof rules['$ref'] === 'string' ? definitionAt(schema, rules['$ref']) : undefined;
    if (target !== undefined) walk(target, part, path, marked);
    for (const keyword of ['anyOf', 'oneOf', 'allOf']) {
      const branches = rules[keyword];
      if (Array.isArray(branches)) for (const branch of branches as readonly Json[]) walk(branch, part, path, marked);
    }
  }

  walk(schema, value, [], false);
  return [...found.values()];
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
