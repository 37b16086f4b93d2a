import * as z from 'zod';
import { InvalidCursor, type Page, type PageArgs } from './store.ts';

/** The kinds of list that a cursor can point into: one of another list is refused. */
export type CursorKind =
  'pipeline' | 'pipelineVersion' | 'run' | 'taskRun' | 'node' | 'nodeRecord' | 'endedAttempt' | 'audit';

/** A place in a list that is ordered by a key. */
export interface Place<Key> {
  /** As an opaque text for clients. */
  cursor(key: Key): string;
  /** The key behind a cursor; undefined for none. Throws InvalidCursor for a text that `cursor` has not made. */
  key(cursor: string | undefined): Key | undefined;
}

/** Places in a list that is ordered by a whole number. */
export const numberedPlace = (kind: CursorKind): Place<number> => place(kind, z.int().min(0));
/** Places in a list that is ordered by a name. */
export const namedPlace = (kind: CursorKind): Place<string> => place(kind, z.string());

/** Places in a list that is ordered by three whole numbers. */
export const placeOfThree = (kind: CursorKind): Place<readonly [number, number, number]> =>
  place(kind, z.tuple([z.int().min(0), z.int().min(0), z.int().min(0)]));

/** Longer than any that we make. */
const MAX_CURSOR_LENGTH = 2_000;

function place<Key>(kind: CursorKind, keySchema: z.ZodType<Key>): Place<Key> {
  const schema = z.tuple([z.literal(kind), keySchema]);
  return {
    cursor: (key) => Buffer.from(JSON.stringify([kind, key])).toString('base64url'),
    key(cursor) {
      if (cursor === undefined) return undefined;
      const result = schema.safeParse(decode(cursor));
      if (!result.success) {
        throw new InvalidCursor(
          `This is no cursor of this list. Take \`cursor\` or \`endCursor\` from an earlier page of the same list.`,
        );
      }
      return result.data[1];
    },
  };
}

function decode(cursor: string): unknown {
  if (cursor.length > MAX_CURSOR_LENGTH || !/^[A-Za-z0-9_-]+$/.test(cursor)) return undefined;
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

/** How many rows to ask for: one more than wanted tells whether there is a next page. */
export function rowsToRead({ first }: PageArgs): number {
  if (!Number.isSafeInteger(first) || first < 0)
    throw new RangeError(`A page of ${first} rows: \`first\` must be a whole number from 0.`);
  return first + 1;
}

/** Cuts what `rowsToRead` has read into a page. */
export function pageOf<Row>(rows: readonly Row[], { first }: PageArgs, cursor: (row: Row) => string): Page<Row> {
  return {
    rows: rows.slice(0, first).map((row) => ({ row, cursor: cursor(row) })),
    hasNextPage: rows.length > first,
  };
}
