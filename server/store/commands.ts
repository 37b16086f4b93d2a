import { createHash } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { JsonObject } from '@gantry/plugin-kit/vocabulary';
import type { Command } from '../domain/command.ts';
import { appendAudit } from './audit.ts';
import { columns, CorruptRow, time, whole } from './columns.ts';
import { piecesOf, type Database } from './database.ts';
import type { CommandStore } from './store.ts';
import type { Tables } from './tables.ts';
import { insertOrUpdate } from './upsert.ts';

type Wish = Parameters<CommandStore['append']>[0][number];
type Appended = Awaited<ReturnType<CommandStore['append']>>[number];

/** What an audit record calls a command, and what it is about. Params are left out: they may hold secrets. */
function auditOf(command: Command): {
  readonly action: string;
  readonly subject: string;
  readonly details: JsonObject;
} {
  switch (command.type) {
    case 'TRIGGER_RUN': {
      const { pipeline, version, priority } = command;
      return { action: 'run.trigger', subject: command.run, details: { pipeline, version, priority } };
    }
    case 'RETRY_RUN':
      return {
        action: 'run.retry',
        subject: command.run,
        details: { of: command.of, from: command.from, tasks: command.tasks },
      };
    case 'CANCEL_RUN':
      return { action: 'run.cancel', subject: command.run, details: messageOf(command) };
    case 'PAUSE_RUN':
      return { action: 'run.pause', subject: command.run, details: {} };
    case 'UPDATE_POOL': {
      const { update, idempotent } = command;
      const said = idempotent === undefined ? {} : { idempotent };
      if (update === null) return { action: 'pool.default', subject: 'idempotent', details: said };
      const { scheduler, config, shadow } = update;
      return {
        action: 'pool.update',
        subject: scheduler,
        details: { scheduler, config, shadow: shadow && { ...shadow }, ...said },
      };
    }
    case 'RESUME_RUN':
      return { action: 'run.resume', subject: command.run, details: {} };
    case 'CORDON_NODE':
      return { action: 'node.cordon', subject: command.node, details: messageOf(command) };
    case 'UNCORDON_NODE':
      return { action: 'node.uncordon', subject: command.node, details: messageOf(command) };
  }
}

const messageOf = ({ message }: { readonly message?: string }): JsonObject =>
  message === undefined ? {} : { message };

/** A key that is longer than its column is known by its hash. */
const MAX_KEY_LENGTH = 200;
const storedKey = (key: string): string =>
  key.length <= MAX_KEY_LENGTH ? key : `sha256:${createHash('sha256').update(key).digest('hex')}`;

/** Commands and their receipts. */
export function commandStore(database: Database): CommandStore {
  const { reader, dialect } = database;

  async function append(transaction: Kysely<Tables>, wishes: readonly Wish[]): Promise<Appended[]> {
    if (dialect.hasConcurrentWriters) await lockGates(transaction, wishes);
    const known = await earlier(transaction, wishes);
    const answers: Appended[] = [];
    for (const { pool, command, actor, at, idempotencyKey } of wishes) {
      const key = idempotencyKey === undefined ? null : storedKey(idempotencyKey);
      const place = key === null ? undefined : JSON.stringify([actor, key]);
      const before = place === undefined ? undefined : known.get(place);
      if (before) {
        answers.push(before);
        continue;
      }
      const { insertId } = await transaction
        .insertInto('command')
        .values({ pool, command: JSON.stringify(command), actor, at, idempotency_key: key, receipt: null, run: null })
        .executeTakeFirstOrThrow();
      const id = Number(insertId);
      const { action, subject, details } = auditOf(command);
      await appendAudit(transaction, [{ at, actor, action, subject, details: { ...details, command: id, pool } }]);
      answers.push({ id, command, receipt: null, repeated: false });
      if (place !== undefined) known.set(place, { id, command, receipt: null, repeated: true });
    }
    return answers;
  }

  /** Holds back other appenders to the same pools until the end of the transaction. */
  async function lockGates(transaction: Kysely<Tables>, wishes: readonly Wish[]): Promise<void> {
    const pools = [...new Set(wishes.map(({ pool }) => pool))].sort();
    for (const pool of pools) {
      await insertOrUpdate(transaction, dialect, 'command_gate', { pool, appended: 1 }, ['pool'], (columnOf) => ({
        appended: columnOf('appended', 1),
      }));
    }
  }

  /** The commands that bear one of the wishes' keys already. */
  async function earlier(transaction: Kysely<Tables>, wishes: readonly Wish[]): Promise<Map<string, Appended>> {
    const found = new Map<string, Appended>();
    const keyed = wishes.flatMap(({ actor, idempotencyKey }) =>
      idempotencyKey === undefined ? [] : [{ actor, key: storedKey(idempotencyKey) }],
    );
    for (const piece of piecesOf(keyed, dialect.listLimit)) {
      const rows = await transaction
        .selectFrom('command')
        .select(['id', 'actor', 'idempotency_key', 'command', 'receipt'])
        .where((all) =>
          all.or(piece.map(({ actor, key }) => all.and([all('actor', '=', actor), all('idempotency_key', '=', key)]))),
        )
        .execute();
      for (const row of rows) {
        const id = whole(row.id, 'command', 'id');
        found.set(JSON.stringify([row.actor, row.idempotency_key]), {
          id,
          command: columns.command.command(row.command, id),
          receipt: row.receipt === null ? null : columns.command.receipt(row.receipt, id),
          repeated: true,
        });
      }
    }
    return found;
  }

  return {
    async append(wishes) {
      if (wishes.length === 0) return [];
      return database.writeUnique((transaction) => append(transaction, wishes));
    },

    async pending(pool, after, limit, onUnreadable) {
      const rows = await reader
        .selectFrom('command')
        .select(['id', 'command', 'actor', 'at'])
        .where('pool', '=', pool)
        .where('id', '>', after)
        .where('receipt', 'is', null)
        .orderBy('id')
        .limit(limit)
        .execute();
      return rows.flatMap((row) => {
        const id = whole(row.id, 'command', 'id');
        try {
          const command = columns.command.command(row.command, id);
          return { id, pool, command, actor: row.actor, at: time(row.at, 'command', 'at', id) };
        } catch (error) {
          if (!(error instanceof CorruptRow) || onUnreadable === undefined) throw error;
          database.tellOfDamage(error);
          onUnreadable(id, error.message);
          return [];
        }
      });
    },

    async isKnown(actor, idempotencyKey) {
      const row = await reader
        .selectFrom('command')
        .select('id')
        .where('actor', '=', actor)
        .where('idempotency_key', '=', storedKey(idempotencyKey))
        .executeTakeFirst();
      return row !== undefined;
    },

    async receipt(id) {
      const row = await reader.selectFrom('command').select('receipt').where('id', '=', id).executeTakeFirst();
      return row === undefined || row.receipt === null ? null : columns.command.receipt(row.receipt, id);
    },
  };
}
