import { crc32 } from 'node:zlib';
import * as z from 'zod';

/*
 * A journal is a sequence of records: length of the payload and its CRC-32, 4 bytes each and little endian, then the
 * payload, JSON. A record is what one flush announced.
 */

const HEADER_BYTES = 8;

/** Attempt id, runner, task key, timeout, kill grace. Kept short: there may be thousands in a record. */
const accepted = z.tuple([z.string(), z.string(), z.string(), z.number().nullable(), z.number()]);
const secretPlace = z.object({ at: z.array(z.union([z.string(), z.number()])), offset: z.number(), name: z.string() });
/** Attempt id, handle, and with the first handle the task's config and resources, and where in it secrets belong. */
const checkpoint = z.tuple([
  z.string(),
  z.json(),
  z.record(z.string(), z.json()).nullable(),
  z.record(z.string(), z.number()).nullable(),
  z.array(secretPlace).nullable().optional(),
]);
const recordSchema = z.object({
  at: z.number(),
  accept: z.array(accepted).default([]),
  checkpoint: z.array(checkpoint).default([]),
  end: z.array(z.looseObject({ attempt: z.string(), state: z.string(), at: z.number() })).default([]),
  forget: z.array(z.string()).default([]),
});

/** One record. Within it, what is accepted comes first and what is forgotten last. */
export type JournalRecord = z.infer<typeof recordSchema>;

/** A record as it stands in the file. */
export function encodeRecord(record: object): Buffer {
  const text = JSON.stringify(record);
  const size = Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + size);
  bytes.write(text, HEADER_BYTES);
  bytes.writeUInt32LE(size, 0);
  bytes.writeUInt32LE(crc32(bytes.subarray(HEADER_BYTES)), 4);
  return bytes;
}

/** Reads records until the first that is torn or damaged. `bytes` is how far the good ones reach. */
export function readRecords(content: Buffer): { readonly records: readonly JournalRecord[]; readonly bytes: number } {
  const records: JournalRecord[] = [];
  let at = 0;
  while (at + HEADER_BYTES <= content.length) {
    const start = at + HEADER_BYTES;
    const end = start + content.readUInt32LE(at);
    if (end > content.length) break;
    const payload = content.subarray(start, end);
    if (crc32(payload) !== content.readUInt32LE(at + 4)) break;
    const record = parse(payload);
    if (record === null) break;
    records.push(record);
    at = end;
  }
  return { records, bytes: at };
}

function parse(payload: Buffer): JournalRecord | null {
  try {
    return recordSchema.safeParse(JSON.parse(payload.toString())).data ?? null;
  } catch {
    return null;
  }
}
