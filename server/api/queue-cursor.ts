import * as z from 'zod';
import type { QueuePlace } from '../placement/queue-page.ts';
import { InvalidCursor } from '../store/store.ts';

const place = z.tuple([z.literal('queue'), z.int(), z.int().min(0), z.int().min(0)]);

/** Longer than any that we make. */
const MAX_CURSOR_LENGTH = 200;

/** A place in a queue as an opaque text for clients. */
export const queueCursor = ({ priority, readySince, sequence }: QueuePlace): string =>
  Buffer.from(JSON.stringify(['queue', priority, readySince, sequence])).toString('base64url');

/** The place behind a cursor. Throws InvalidCursor for a text that `queueCursor` has not made. */
export function readQueueCursor(cursor: string): QueuePlace {
  const result = place.safeParse(decode(cursor));
  if (!result.success) {
    throw new InvalidCursor('This is no cursor of a queue. Take `cursor` or `endCursor` from an earlier page of it.');
  }
  const [, priority, readySince, sequence] = result.data;
  return { priority, readySince, sequence };
}

function decode(cursor: string): unknown {
  if (cursor.length > MAX_CURSOR_LENGTH) return undefined;
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    return undefined;
  }
}
