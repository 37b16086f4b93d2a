/** `cpu=1, memory=2Gi` as an object; throws with the piece that is none. */
export function pairsOf(text: string, what: string): Readonly<Record<string, string>> {
  const pieces = text
    .split(',')
    .map((piece) => piece.trim())
    .filter((piece) => piece !== '');
  return Object.fromEntries(
    pieces.map((piece) => {
      const [, name, value] = /^([^=\s]+)\s*=\s*(.*)$/.exec(piece) ?? [];
      if (name === undefined) throw new Error(`${what}: “${piece}” is not written as name=value.`);
      return [name, value!];
    }),
  );
}

/** A whole number from 1; throws for anything else. */
export function countOf(text: string, what: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1) throw new Error(`${what} must be a whole number from 1.`);
  return count;
}
