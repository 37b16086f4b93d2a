import type { Selectable } from 'kysely';
import { appendAudit } from './audit.ts';
import { columns, whole } from './columns.ts';
import { mended, type Mended, type Neutral } from './damage.ts';
import { piecesOf, type Database } from './database.ts';
import type { Token, TokenStore } from './store.ts';
import type { TokenTable } from './tables.ts';

function tokenOf(row: Selectable<TokenTable>): Token {
  const timeOrNull = (column: 'expires_at' | 'revoked_at' | 'last_used_at') => {
    const value = row[column];
    return value === null ? null : whole(value, 'token', column, row.id);
  };
  return {
    id: row.id,
    name: row.name,
    role: columns.token.role(row.role, row.id),
    prefix: row.prefix,
    createdAt: whole(row.created_at, 'token', 'created_at', row.id),
    expiresAt: timeOrNull('expires_at'),
    revokedAt: timeOrNull('revoked_at'),
    lastUsedAt: timeOrNull('last_used_at'),
  };
}

const NEUTRAL: Neutral<Selectable<TokenTable>> = {
  role: 'VIEWER',
  created_at: 0,
  expires_at: null,
  revoked_at: null,
  last_used_at: null,
};
/** Without them nobody knows what the token is good for. */
const DECISIVE: readonly string[] = ['role', 'expires_at', 'revoked_at'];

/** A token of which it is not known what it is good for is good for nothing. */
function mendedToken(row: Selectable<TokenTable>): Mended<Token> {
  const { value, damage } = mended(row, tokenOf, NEUTRAL);
  if (damage === null || !DECISIVE.includes(damage.column)) return { value, damage };
  return { value: { ...value, revokedAt: value.revokedAt ?? value.createdAt }, damage };
}

/** Tokens, known by their hashes only. */
export function tokenStore(database: Database): TokenStore {
  const { reader, dialect } = database;
  return {
    put: (token, hash) =>
      database.write(async (transaction) => {
        await transaction
          .deleteFrom('token')
          .where((all) => all.or([all('name', '=', token.name), all('id', '=', token.id), all('hash', '=', hash)]))
          .execute();
        await transaction
          .insertInto('token')
          .values({
            id: token.id,
            name: token.name,
            role: token.role,
            prefix: token.prefix,
            hash,
            created_at: token.createdAt,
            expires_at: token.expiresAt,
            revoked_at: token.revokedAt,
            last_used_at: token.lastUsedAt,
          })
          .execute();
      }),

    async byHash(hash) {
      const row = await reader.selectFrom('token').selectAll().where('hash', '=', hash).executeTakeFirst();
      return row ? database.sound(mendedToken(row)) : null;
    },

    async all() {
      return (await reader.selectFrom('token').selectAll().orderBy('name').execute()).map((row) =>
        database.sound(mendedToken(row)),
      );
    },

    revoke: (id, at, actor) =>
      database.write(async (transaction) => {
        const token = await transaction
          .selectFrom('token')
          .select('name')
          .where('id', '=', id)
          .where('revoked_at', 'is', null)
          .executeTakeFirst();
        if (!token) return false;
        const { numUpdatedRows } = await transaction
          .updateTable('token')
          .set({ revoked_at: at })
          .where('id', '=', id)
          .where('revoked_at', 'is', null)
          .executeTakeFirst();
        if (numUpdatedRows === 0n) return false;
        await appendAudit(transaction, [{ at, actor, action: 'token.revoke', subject: token.name, details: { id } }]);
        return true;
      }),

    async touched(ids, at) {
      if (ids.length === 0) return;
      await database.write(async (transaction) => {
        for (const piece of piecesOf(ids, dialect.listLimit)) {
          await transaction.updateTable('token').set({ last_used_at: at }).where('id', 'in', piece).execute();
        }
      });
    },
  };
}
