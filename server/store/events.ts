import type { Selectable } from 'kysely';
import type { AssignedLog } from '../domain/change.ts';
import type { EventBatch } from '../domain/event.ts';
import type { LoggedAssignment } from '../domain/input.ts';
import { columns, CorruptRow, time, whole } from './columns.ts';
import { mended, type Neutral } from './damage.ts';
import type { Database } from './database.ts';
import type { EventStore } from './store.ts';
import type { EventTable } from './tables.ts';

type Body = Pick<EventBatch, 'runs' | 'taskRuns' | 'nodes' | 'receipts'>;

/** Checks the shape only: a batch holds thousands of tuples, and we wrote them. */
function bodyOf(text: string, key: string): Body {
  const body = columns.event.body(text, key);
  const { runs, taskRuns, nodes, receipts } = body;
  if (
    ![runs, taskRuns, nodes, receipts].every(
      (list) => Array.isArray(list) && list.every((tuple) => Array.isArray(tuple)),
    )
  ) {
    throw new CorruptRow('event', key, 'body', 'not the four lists of an event batch');
  }
  return body as unknown as Body;
}

/** Takes the flat triples of an AssignedLog apart. */
function assignmentsOf(text: string, at: number, key: string): LoggedAssignment[] {
  const { nodes, tasks } = columns.event.assigned(text, key) as unknown as AssignedLog;
  const isLog =
    Array.isArray(nodes) && Array.isArray(tasks) && tasks.length % 3 === 0 && tasks.every(Number.isSafeInteger);
  const assignments: LoggedAssignment[] = [];
  for (let index = 0; isLog && index < tasks.length; index += 3) {
    const node: unknown = nodes[tasks[index + 2]!];
    if (typeof node !== 'string') break;
    assignments.push({ runKey: tasks[index]!, ordinal: tasks[index + 1]!, node, at });
  }
  if (!isLog || assignments.length * 3 !== tasks.length) {
    throw new CorruptRow('event', key, 'assigned', 'not a list of nodes and triples of run key, ordinal and node');
  }
  return assignments;
}

function batchOf({ pool, ...row }: Selectable<EventTable>, key: string): EventBatch {
  const { runs, taskRuns, nodes, receipts } = bodyOf(row.body, key);
  const batch = { pool, seq: whole(row.seq, 'event', 'seq', key), at: time(row.at, 'event', 'at', key) };
  return { ...batch, runs, taskRuns, nodes, receipts };
}

/** What cannot be read has told of nothing: the rows themselves say how things are. */
const NEUTRAL: Neutral<Selectable<EventTable>> = {
  at: 0,
  body: '{"runs":[],"taskRuns":[],"nodes":[],"receipts":[]}',
  assigned: '{"nodes":[],"tasks":[]}',
};

/** The event log. Rows are written by commits. */
export function eventStore(database: Database): EventStore {
  const { reader } = database;
  const end = async (pool: string, direction: 'asc' | 'desc'): Promise<number | undefined> => {
    const row = await reader
      .selectFrom('event')
      .select('seq')
      .where('pool', '=', pool)
      .orderBy('seq', direction)
      .limit(1)
      .executeTakeFirst();
    return row && whole(row.seq, 'event', 'seq', pool);
  };
  return {
    async after(pool, seq, limit) {
      const rows = await reader
        .selectFrom('event')
        .selectAll()
        .where('pool', '=', pool)
        .where('seq', '>', seq)
        .orderBy('seq')
        .limit(limit)
        .execute();
      return rows.map((row) => {
        const key = `${pool} ${row.seq}`;
        return database.sound(mended(row, (each) => batchOf(each, key), NEUTRAL));
      });
    },
    async assignedAfter(pool, seq) {
      const rows = await reader
        .selectFrom('event')
        .select(['seq', 'at', 'assigned'])
        .where('pool', '=', pool)
        .where('seq', '>', seq)
        .where('assigned', 'is not', null)
        .orderBy('seq')
        .execute();
      return rows.flatMap((row) => {
        const key = `${pool} ${row.seq}`;
        const read = ({ assigned, at }: typeof row) => assignmentsOf(assigned!, time(at, 'event', 'at', key), key);
        return database.sound(mended(row, read, NEUTRAL));
      });
    },
    last: async (pool) => (await end(pool, 'desc')) ?? 0,
    first: async (pool) => (await end(pool, 'asc')) ?? 1,
  };
}
