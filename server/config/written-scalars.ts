import { isMap, isScalar, isSeq } from 'yaml';

/** A number or boolean in YAML whose JSON is not what stands there: `3.10`, `010`, `9007199254740993`, `True`. */
export interface WrittenScalar {
  readonly path: readonly (string | number)[];
  /** Where it begins in the text. */
  readonly offset: number;
  readonly written: string;
  readonly value: number | boolean;
}

/** Every such scalar below a node of a YAML document, in the order of the text. */
export function writtenScalars(node: unknown, path: readonly (string | number)[] = []): readonly WrittenScalar[] {
  if (isMap(node)) {
    return node.items.flatMap(({ key, value }) =>
      writtenScalars(value, [...path, isScalar(key) ? String(key.value) : String(key)]),
    );
  }
  if (isSeq(node)) return node.items.flatMap((item, at) => writtenScalars(item, [...path, at]));
  if (!isScalar(node) || node.source === undefined) return [];
  const { value, source, range } = node;
  if (typeof value !== 'number' && typeof value !== 'boolean') return [];
  const json = value === 0 ? 0 : value;
  return source === String(json) ? [] : [{ path, offset: range?.[0] ?? 0, written: source, value: json }];
}
