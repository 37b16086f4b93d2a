/** A place in the event logs of one or more pools: per pool the batch's sequence and the event's index within it. */
export type Places = ReadonlyMap<string, { readonly seq: number; readonly index: number }>;

/** Opaque to clients. */
export function encodeCursor(places: Places): string {
  const plain = [...places].map(([pool, { seq, index }]) => [pool, seq, index]);
  return Buffer.from(JSON.stringify(plain)).toString('base64url');
}

/** Null for a text that `encodeCursor` did not make. */
export function decodeCursor(text: string): Places | null {
  try {
    const plain: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (!Array.isArray(plain)) return null;
    const places = new Map<string, { seq: number; index: number }>();
    for (const place of plain as unknown[]) {
      if (!Array.isArray(place)) return null;
      const [pool, seq, index] = place as unknown[];
      if (typeof pool !== 'string' || !isCount(seq) || !isCount(index)) return null;
      places.set(pool, { seq, index });
    }
    return places;
  } catch {
    return null;
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
