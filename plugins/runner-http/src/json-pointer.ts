import type { Json } from '@gantry/plugin-kit/vocabulary';

/** The value at a JSON Pointer (RFC 6901); undefined when there is none. Own properties only. */
export function jsonPointer(document: Json, pointer: string): Json | undefined {
  let value: Json | undefined = document;
  for (const key of pointerSteps(pointer)) {
    if (Array.isArray(value))
      value = /^(0|[1-9]\d{0,9})$/.test(key) ? (value as readonly Json[])[Number(key)] : undefined;
    else if (typeof value === 'object' && value !== null)
      value = Object.hasOwn(value, key) ? (value as Record<string, Json>)[key] : undefined;
    else return undefined;
  }
  return value;
}

/** The keys and places that a JSON Pointer names, in their order. */
export function pointerSteps(pointer: string): readonly string[] {
  if (pointer === '') return [];
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}
