import type { Expression, ExpressionBuilder, SqlBool } from 'kysely';
import type { RunId } from '../domain/ids.ts';
import { whole } from './columns.ts';
import { placeOfThree, rowsToRead } from './cursor.ts';
import { piecesOf, type Database } from './database.ts';
import type { EndedAttempt, Page, PageArgs } from './store.ts';
import { mendedAttempt, mendedLatestAttempt } from './task-run-row.ts';
import type { Tables } from './tables.ts';

/** Task runs that one statement looks through: some milliseconds, also where every other query has to wait for it. */
const PIECE = 10_000;
/** Pieces that one page looks through at most; then it is a short one, and the next goes on from there. */
const MAX_PIECES = 20;

const place = placeOfThree('endedAttempt');

/** An attempt's place: run key, ordinal, number. What comes first in the list is the greatest. */
type Key = readonly [runKey: number, ordinal: number, number: number];
interface Found {
  readonly key: Key;
  readonly attempt: EndedAttempt['attempt'];
}

const GREATEST: Key = [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];
const byPlace = (one: Found, other: Found): number =>
  other.key[0] - one.key[0] || other.key[1] - one.key[1] || other.key[2] - one.key[2];

/**
 * What has ended on a node, the newest run first. There is no index for it, for it would have to be written with each
 * task: task runs are looked through backwards along their key, piece by piece, until the page is full.
 */
export async function endedAttempts(database: Database, node: string, args: PageArgs): Promise<Page<EndedAttempt>> {
  const wanted = rowsToRead(args);
  const found: Found[] = [];
  let before = place.key(args.after) ?? GREATEST;
  let hasEnded = false;
  for (let pieces = 0; pieces < MAX_PIECES && found.length < wanted && !hasEnded; pieces++) {
    if (pieces > 0) await database.turn();
    const last = await endOfPiece(database, before);
    found.push(...(await inPiece(database, node, before, last ?? [0, 0, 0], wanted)));
    hasEnded = last === null;
    before = last ?? before;
  }
  const shown = found.slice(0, args.first);
  const ids = await runIds(database, shown);
  // Without the run's own row it has been deleted, and these rows are about to be.
  const rows = shown.flatMap(({ key, attempt }) => {
    const [runKey, ordinal] = key;
    const run = ids.get(runKey);
    return run === undefined ? [] : [{ row: { run, ordinal, attempt }, cursor: place.cursor([...key]) }];
  });
  // Where the page is short, the place that was come to, and not that of its last row.
  const end = found.length <= args.first ? before : rows.length < shown.length ? shown.at(-1)!.key : null;
  return {
    rows,
    hasNextPage: found.length > args.first || !hasEnded,
    ...(end === null || (found.length <= args.first && hasEnded) ? {} : { endCursor: place.cursor([...end]) }),
  };
}

/** The last task run of the piece before a place, with the number 0: all its attempts lie in the piece. Null: the rest is one. */
async function endOfPiece({ reader }: Database, before: Key): Promise<Key | null> {
  const row = await reader
    .selectFrom('task_run')
    .select(['run_key', 'ordinal'])
    .where((all) => notBehind(all, [before[0], before[1], 1]))
    .orderBy('run_key', 'desc')
    .orderBy('ordinal', 'desc')
    .offset(PIECE - 1)
    .limit(1)
    .executeTakeFirst();
  return row ? [whole(row.run_key, 'task_run', 'run_key'), whole(row.ordinal, 'task_run', 'ordinal'), 0] : null;
}

/** The first `limit` that ended on the node before one place and not before another. */
async function inPiece(database: Database, node: string, before: Key, last: Key, limit: number): Promise<Found[]> {
  const { reader } = database;
  const found = new Map<string, Found>();
  const add = (key: Key, attempt: Found['attempt']): void => void found.set(key.join(' '), { key, attempt });
  const rows = await reader
    .selectFrom('task_run')
    .select(['run_key', 'ordinal', 'attempt_number', 'attempt_state', 'node', 'assigned_at', 'started_at'])
    .select(['attempt_finished_at', 'failure'])
    .where('node', '=', node)
    .where('attempt_finished_at', 'is not', null)
    .where((all) => notBehind(all, before))
    .where((all) =>
      all.or([all('run_key', '<', before[0]), all('ordinal', '<', before[1]), all('attempt_number', '<', before[2])]),
    )
    .where((all) => notBefore(all, last))
    .orderBy('run_key', 'desc')
    .orderBy('ordinal', 'desc')
    .limit(limit)
    .execute();
  for (const row of rows) {
    const [runKey, ordinal] = [whole(row.run_key, 'task_run', 'run_key'), whole(row.ordinal, 'task_run', 'ordinal')];
    const attempt = database.sound(mendedLatestAttempt(row, `${runKey} ${ordinal}`));
    if (attempt !== null) add([runKey, ordinal, attempt.number], attempt);
  }
  // After the latest: one that is replaced in between is met twice, and not left out.
  const earlier = await reader
    .selectFrom('attempt')
    .selectAll()
    .where('node', '=', node)
    .where('finished_at', 'is not', null)
    .where((all) => notBehind(all, before))
    .where((all) =>
      all.or([all('run_key', '<', before[0]), all('ordinal', '<', before[1]), all('number', '<', before[2])]),
    )
    .where((all) => notBefore(all, last))
    .orderBy('run_key', 'desc')
    .orderBy('ordinal', 'desc')
    .orderBy('number', 'desc')
    .limit(limit)
    .execute();
  for (const row of earlier) {
    const attempt = database.sound(mendedAttempt(row));
    add([whole(row.run_key, 'attempt', 'run_key'), whole(row.ordinal, 'attempt', 'ordinal'), attempt.number], attempt);
  }
  return [...found.values()].sort(byPlace).slice(0, limit);
}

type All = ExpressionBuilder<Tables, 'task_run' | 'attempt'>;

/** Of the task run of a place, or of one that comes after it in the list. Written so that both databases walk the primary key. */
const notBehind = (all: All, [runKey, ordinal]: Key): Expression<SqlBool> =>
  all.and([all('run_key', '<=', runKey), all.or([all('run_key', '<', runKey), all('ordinal', '<=', ordinal)])]);

/** Of the task run of a place, or of one that comes before it in the list. */
const notBefore = (all: All, [runKey, ordinal]: Key): Expression<SqlBool> =>
  all.and([all('run_key', '>=', runKey), all.or([all('run_key', '>', runKey), all('ordinal', '>=', ordinal)])]);

async function runIds({ reader, dialect }: Database, found: readonly Found[]): Promise<ReadonlyMap<number, RunId>> {
  const ids = new Map<number, RunId>();
  for (const piece of piecesOf([...new Set(found.map(({ key }) => key[0]))], dialect.listLimit)) {
    const rows = await reader.selectFrom('run').select(['run_key', 'id']).where('run_key', 'in', piece).execute();
    for (const { run_key, id } of rows) ids.set(whole(run_key, 'run', 'run_key', id), id as RunId);
  }
  return ids;
}
