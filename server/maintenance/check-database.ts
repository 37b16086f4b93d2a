import type { Clock } from '../clock.ts';
import { expectedSchema, findBrokenRuns, findOrphans, KNOWN_MIGRATIONS, reachedMigration } from '../store/diagnosis.ts';
import { inspect } from '../store/dialect/inspect.ts';
import type { Inspection } from '../store/dialect/inspection.ts';
import { failure, notChecked, ok, warning, type Finding } from './finding.ts';

const RESTORE = 'Stop the server and restore the newest backup: `gantry restore FILE --replace`.';
/** Clocks that differ by more make times in lists misleading; by much more, schedules and tokens wrong. Milliseconds. */
const OFFSET = { warning: 2_000, failure: 60_000 };

/** Checks the database beside a server that may be using it. `isDeep` reads every page. */
export async function checkDatabase(url: string, clock: Clock, isDeep: boolean): Promise<readonly Finding[]> {
  let inspection: Inspection;
  try {
    inspection = await inspect(url);
  } catch (error) {
    const isDamaged = error instanceof Error && error.message.includes('it is damaged');
    return [isDamaged ? failure('integrity', error.message, RESTORE) : notChecked('database', error)];
  }
  try {
    return await checkAll(inspection, clock, isDeep);
  } finally {
    await inspection.close();
  }
}

async function checkAll(inspection: Inspection, clock: Clock, isDeep: boolean): Promise<readonly Finding[]> {
  const { db, dialect } = inspection;
  const findings: Finding[] = [];
  const attempt = async (check: string, work: () => Promise<Finding | null>) => {
    try {
      const finding = await work();
      if (finding !== null) findings.push(finding);
    } catch (error) {
      findings.push(notChecked(check, error));
    }
  };
  await attempt('database', async () => ok('database', await inspection.version()));
  const existing = new Set<string>();
  await attempt('schema', async () => {
    for (const { name } of await db.introspection.getTables()) existing.add(name);
    return null;
  });
  await attempt('integrity', () => checkIntegrity(inspection, existing, isDeep));
  // Of damaged pages the other checks would say nothing that helps.
  if (findings.some(({ status }) => status === 'FAILURE')) return findings;
  const reached = await reachedMigration(db, existing);
  findings.push(versionOf(reached));
  if (reached === 0 || reached > KNOWN_MIGRATIONS) return findings;
  await attempt('schema', () => checkSchema(inspection, existing, reached));
  await attempt('orphans', async () => {
    const orphans = await findOrphans(db, existing);
    if (orphans.length === 0) return ok('orphans', 'Every row belongs to a run.');
    const list = orphans.map(({ table, owner, count }) => `${count} of ${table} without ${owner}`).join(', ');
    return warning('orphans', `Rows are left over: ${list}.`, 'They only take space; retention removes them.');
  });
  await attempt('invariants', async () => {
    const { endedTooEarly, withoutVersion } = await findBrokenRuns(db);
    if (endedTooEarly + withoutVersion === 0) return ok('invariants', 'Runs and their task runs agree.');
    const message = `${endedTooEarly} runs have ended before their task runs, ${withoutVersion} have no pipeline version.`;
    return failure('invariants', message, RESTORE);
  });
  await attempt('clock', async () => {
    const offset = await inspection.clockOffsetMs(() => clock.now());
    return clockFinding(offset, await newestEvent(inspection, existing), clock.now());
  });
  for (const weakness of await inspection.weakSettings().catch(() => []))
    findings.push(warning('durability', weakness, `Set it in the configuration of ${dialect.name}'s server.`));
  return findings;
}

async function checkIntegrity(
  inspection: Inspection,
  existing: ReadonlySet<string>,
  isDeep: boolean,
): Promise<Finding> {
  const expected = expectedSchema(inspection.dialect, KNOWN_MIGRATIONS).tables.filter((table) => existing.has(table));
  const damage = await inspection.damage(expected, isDeep);
  if (damage.length > 0) return failure('integrity', `The database is damaged: ${damage.join('; ')}.`, RESTORE);
  return ok(
    'integrity',
    isDeep ? 'Every page and index is whole.' : 'Every page is whole; --deep compares indexes, too.',
  );
}

function versionOf(reached: number): Finding {
  if (reached === 0) return warning('version', 'The database is empty.', 'The first start of a server fills it.');
  if (reached > KNOWN_MIGRATIONS) {
    return failure(
      'version',
      `The database is at migration ${reached}, this Gantry knows ${KNOWN_MIGRATIONS}.`,
      'Run the Gantry that last used it, or a newer one.',
    );
  }
  if (reached < KNOWN_MIGRATIONS) {
    return warning(
      'version',
      `The database is at migration ${reached} of ${KNOWN_MIGRATIONS}.`,
      'The next start brings it up to date; take a backup before.',
    );
  }
  return ok('version', `The database is at migration ${reached}, the newest.`);
}

async function checkSchema(inspection: Inspection, existing: ReadonlySet<string>, reached: number): Promise<Finding> {
  const expected = expectedSchema(inspection.dialect, reached);
  const indexes = await inspection.indexes();
  const missing = [
    ...expected.tables.filter((table) => !existing.has(table)).map((table) => `table ${table}`),
    ...expected.indexes.filter((index) => !indexes.has(index)).map((index) => `index ${index}`),
  ];
  if (missing.length === 0) return ok('schema', 'All tables and indexes are there.');
  return failure('schema', `The schema is incomplete: ${missing.join(', ')} missing.`, RESTORE);
}

async function newestEvent({ db }: Inspection, existing: ReadonlySet<string>): Promise<number | null> {
  if (!existing.has('event') || !existing.has('lease')) return null;
  let newest: number | null = null;
  for (const { name } of await db.selectFrom('lease').select('name').execute()) {
    const row = await db
      .selectFrom('event')
      .select('at')
      .where('pool', '=', name)
      .orderBy('seq', 'desc')
      .limit(1)
      .executeTakeFirst();
    if (row !== undefined) newest = Math.max(newest ?? 0, Number(row.at));
  }
  return newest;
}

function clockFinding(offset: number | null, newest: number | null, now: number): Finding {
  const remedy = 'Let NTP set the clocks of all machines.';
  if (newest !== null && newest > now + OFFSET.failure) {
    const message = `The newest event is from ${new Date(newest).toISOString()}, which is in the future: this machine's clock is behind.`;
    return failure('clock', message, remedy);
  }
  if (offset === null) return ok('clock', `It is ${new Date(now).toISOString()}; the newest event is not later.`);
  const seconds = (Math.abs(offset) / 1_000).toFixed(1);
  const text = `The database's clock and this machine's differ by ${seconds} s.`;
  if (Math.abs(offset) > OFFSET.failure) return failure('clock', text, remedy);
  return Math.abs(offset) > OFFSET.warning ? warning('clock', text, remedy) : ok('clock', text);
}
