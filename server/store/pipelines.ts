import { type Selectable, type SelectQueryBuilder, sql } from 'kysely';
import type { Pipeline, PipelineVersion } from '../domain/pipeline.ts';
import { appendAudit } from './audit.ts';
import { columns, countOf, whole } from './columns.ts';
import { namedPlace, numberedPlace, pageOf, rowsToRead } from './cursor.ts';
import { mended, type Mended, type Neutral } from './damage.ts';
import { piecesOf, type Database } from './database.ts';
import type { PipelineStore } from './store.ts';
import type { PipelineTable, PipelineVersionTable, Tables } from './tables.ts';
import { insertOrUpdate } from './upsert.ts';

const place = namedPlace('pipeline');
const versionPlace = numberedPlace('pipelineVersion');

function pipelineOf(row: Selectable<PipelineTable>): Pipeline {
  const number = (column: 'latest_version' | 'created_at' | 'updated_at' | 'paused') =>
    whole(row[column], 'pipeline', column, row.name);
  return {
    name: row.name,
    latestVersion: number('latest_version'),
    paused: number('paused') !== 0,
    createdAt: number('created_at'),
    updatedAt: number('updated_at'),
  };
}

/** Turns a row into a version. */
export function pipelineVersionOf(row: Selectable<PipelineVersionTable>): PipelineVersion {
  const key = `${row.pipeline} ${row.number}`;
  return {
    pipeline: row.pipeline,
    number: whole(row.number, 'pipeline_version', 'number', key),
    definition: columns.pipelineVersion.definition(row.definition, key),
    source: row.source,
    hash: row.hash,
    createdAt: whole(row.created_at, 'pipeline_version', 'created_at', key),
    createdBy: row.created_by,
  };
}

const NEUTRAL: Neutral<Selectable<PipelineTable>> = { latest_version: 0, paused: 0, created_at: 0, updated_at: 0 };
/** Nobody can run it; whoever applies the pipeline again gets a version that can be run. */
const NO_DEFINITION = { name: '', description: '', pool: 'default', priority: 0, params: {}, tasks: [] };
const NEUTRAL_VERSION: Neutral<Selectable<PipelineVersionTable>> = {
  definition: JSON.stringify(NO_DEFINITION),
  created_at: 0,
};

/** Turns a row that may be damaged into a version: the definition of a damaged one is empty and says why. */
function mendedVersion(row: Selectable<PipelineVersionTable>): Mended<PipelineVersion> {
  const { value, damage } = mended(row, pipelineVersionOf, NEUTRAL_VERSION);
  if (damage?.column !== 'definition') return { value, damage };
  const definition = { ...value.definition, name: row.pipeline, description: damage.message };
  return { value: { ...value, definition }, damage };
}

type PipelineQuery<Output> = SelectQueryBuilder<Tables, 'pipeline', Output>;
const matching = <Output>(
  query: PipelineQuery<Output>,
  { search }: { readonly search?: string },
): PipelineQuery<Output> =>
  query
    .where('deleted_at', 'is', null)
    // INSTR instead of LIKE: a % in the text is a % then.
    .$if(search !== undefined && search !== '', (all) =>
      all.where(sql<number>`instr(lower(${sql.ref('name')}), ${search!.toLowerCase()})`, '>', 0),
    ) as PipelineQuery<Output>;

/** Pipelines and their versions. */
export function pipelineStore(database: Database): PipelineStore {
  const { reader, dialect } = database;
  const read = (row: Selectable<PipelineTable>): Pipeline => database.sound(mended(row, pipelineOf, NEUTRAL));
  return {
    apply: (definition, { source, hash, actor, at }) =>
      database.writeUnique(async (transaction) => {
        const { name } = definition;
        const versions = transaction.selectFrom('pipeline_version').selectAll().where('pipeline', '=', name);
        let latestVersions = versions.orderBy('number', 'desc').limit(1);
        let pipelines = transaction.selectFrom('pipeline').selectAll().where('name', '=', name);
        if (dialect.hasConcurrentWriters) {
          pipelines = pipelines.forUpdate();
          latestVersions = latestVersions.forUpdate();
        }
        const pipeline = await pipelines.executeTakeFirst();
        const row = await latestVersions.executeTakeFirst();
        const { value: latest = null, damage = null } = row ? mendedVersion(row) : {};
        const isAlive = pipeline !== undefined && pipeline.deleted_at === null;
        if (latest && damage === null && isAlive && latest.hash === hash) return { version: latest, created: false };
        const number = (latest?.number ?? 0) + 1;
        const version: PipelineVersion = {
          pipeline: name,
          number,
          definition,
          source,
          hash,
          createdAt: at,
          createdBy: actor,
        };
        await transaction
          .insertInto('pipeline_version')
          .values({
            pipeline: name,
            number,
            definition: JSON.stringify(definition),
            source,
            hash,
            created_at: at,
            created_by: actor,
          })
          .execute();
        const fresh = { latest_version: number, paused: 0, created_at: at, updated_at: at, deleted_at: null };
        const changes = isAlive ? { latest_version: number, updated_at: at } : fresh;
        await insertOrUpdate(transaction, dialect, 'pipeline', { name, ...fresh }, ['name'], changes);
        const details = { version: number, hash };
        await appendAudit(transaction, [{ at, actor, action: 'pipeline.apply', subject: name, details }]);
        return { version, created: true };
      }),

    async changedSince(since) {
      const rows = await reader
        .selectFrom('pipeline')
        .select(['name', 'updated_at'])
        .where('updated_at', '>=', since)
        .orderBy('updated_at')
        .orderBy('name')
        .execute();
      return rows.map(({ name, updated_at: at }) => ({ name, at: whole(at, 'pipeline', 'updated_at', name) }));
    },

    delete: (name, actor, at) =>
      database.write(async (transaction) => {
        const { numUpdatedRows } = await transaction
          .updateTable('pipeline')
          .set({ deleted_at: at, updated_at: at })
          .where('name', '=', name)
          .where('deleted_at', 'is', null)
          .executeTakeFirst();
        if (numUpdatedRows === 0n) return false;
        await appendAudit(transaction, [{ at, actor, action: 'pipeline.delete', subject: name, details: {} }]);
        return true;
      }),

    setPaused: (name, paused, actor, at) =>
      database.write(async (transaction) => {
        const { numUpdatedRows } = await transaction
          .updateTable('pipeline')
          .set({ paused: paused ? 1 : 0, updated_at: at })
          .where('name', '=', name)
          .where('deleted_at', 'is', null)
          .executeTakeFirst();
        if (numUpdatedRows === 0n) return false;
        const action = paused ? 'pipeline.pause' : 'pipeline.resume';
        await appendAudit(transaction, [{ at, actor, action, subject: name, details: {} }]);
        return true;
      }),

    async byNames(names) {
      const found = new Map<string, Pipeline>();
      for (const piece of piecesOf([...new Set(names)], dialect.listLimit)) {
        const rows = await reader
          .selectFrom('pipeline')
          .selectAll()
          .where('name', 'in', piece)
          .where('deleted_at', 'is', null)
          .execute();
        for (const row of rows) found.set(row.name, read(row));
      }
      return names.map((name) => found.get(name) ?? null);
    },

    async page(args, filter) {
      const after = place.key(args.after);
      const rows = await matching(reader.selectFrom('pipeline').selectAll(), filter)
        .$if(after !== undefined, (query) => query.where('name', '>', after!))
        .orderBy('name')
        .limit(rowsToRead(args))
        .execute();
      return pageOf(rows.map(read), args, ({ name }) => place.cursor(name));
    },

    async count(filter) {
      const query = reader.selectFrom('pipeline').select((all) => all.fn.countAll().as('count'));
      return countOf(await matching(query, filter).executeTakeFirstOrThrow());
    },

    async versions(keys, onDamaged) {
      const found = new Map<string, PipelineVersion>();
      for (const piece of piecesOf(keys, dialect.listLimit)) {
        const rows = await reader
          .selectFrom('pipeline_version')
          .selectAll()
          .where((all) =>
            all.or(
              piece.map(({ pipeline, number }) =>
                all.and([all('pipeline', '=', pipeline), all('number', '=', number)]),
              ),
            ),
          )
          .execute();
        for (const row of rows) {
          const { value, damage } = mendedVersion(row);
          if (damage !== null && onDamaged !== undefined) onDamaged(value, damage);
          else found.set(`${row.number} ${row.pipeline}`, database.sound({ value, damage }));
        }
      }
      return keys.map(({ pipeline, number }) => found.get(`${number} ${pipeline}`) ?? null);
    },

    async versionPage(pipeline, args) {
      const after = versionPlace.key(args.after);
      const rows = await reader
        .selectFrom('pipeline_version')
        .selectAll()
        .where('pipeline', '=', pipeline)
        .$if(after !== undefined, (query) => query.where('number', '<', after!))
        .orderBy('number', 'desc')
        .limit(rowsToRead(args))
        .execute();
      return pageOf(
        rows.map((row) => database.sound(mendedVersion(row))),
        args,
        ({ number }) => versionPlace.cursor(number),
      );
    },
  };
}
