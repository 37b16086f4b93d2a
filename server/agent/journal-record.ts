import { crc32 } from 'node:zlib';
import * as z from 'zod';
import type { StopReason } from './attempt-end.ts';

/*
 * A journal is a sequence of records: length of the payload and its CRC-32, 4 bytes each and little endian, then the
 * payload, JSON. A record is what one flush announced.
 */

const HEADER_BYTES = 8;

/**
 * Attempt id, runner, task key, timeout, kill grace, and which of the record's works it does, where its runner finds it
 * again by its id. Kept short: there may be thousands in a record.
 */
const accepted = z.tuple([
  z.string(),
  z.string(),
  z.string(),
  z.number().nullable(),
  z.number(),
  z.number().int().optional(),
]);
const secretPlace = z.object({ at: z.array(z.union([z.string(), z.number()])), offset: z.number(), name: z.string() });
/** What a task says for its runner, its resources, and where in it secrets belong. */
const work = z.tuple([z.record(z.string(), z.json()), z.record(z.string(), z.number()), z.array(secretPlace)]);
/** Attempt id, handle, with the first handle the work where it is not kept yet, and when the work began. */
const checkpoint = z.tuple([
  z.string(),
  z.json(),
  z.record(z.string(), z.json()).nullable(),
  z.record(z.string(), z.number()).nullable(),
  z.array(secretPlace).nullable().optional(),
  z.number().optional(),
]);
/** Attempt id, reason, when. */
const stopped = z.tuple([
  z.string(),
  z.enum(['CANCELLED', 'TIMED_OUT', 'PREEMPTED', 'SHUTDOWN'] satisfies StopReason[]),
  z.number(),
]);
const recordSchema = z.object({
  at: z.number(),
  /** Which start of the machine the record was written in. */
  boot: z.string().nullable().default(null),
  /** Of what is accepted, once for all that share it. */
  works: z.array(work).default([]),
  accept: z.array(accepted).default([]),
  checkpoint: z.array(checkpoint).default([]),
  stop: z.array(stopped).default([]),
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
