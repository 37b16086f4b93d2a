import type { Json } from '@gantry/plugin-kit/vocabulary';

/** The value at a JSON Pointer (RFC 6901); undefined when there is none. Own properties only. */
export function jsonPointer(document: Json, pointer: string): Json | undefined {
  if (pointer === '') return document;
  let value: Json | undefined = document;
  for (const token of pointer.slice(1).split('/')) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(value))
      value = /^(0|[1-9]\d{0,9})$/.test(key) ? (value as readonly Json[])[Number(key)] : undefined;
    else if (typeof value === 'object' && value !== null)
      value = Object.hasOwn(value, key) ? (value as Record<string, Json>)[key] : undefined;
    else return undefined;
  }
  return value;
}
