import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { AuditStore, Token, TokenStore } from '../store/store.ts';
import type { Clock } from '../clock.ts';
import type { Role } from './roles.ts';
import type { Viewer } from './viewer.ts';

/** A token that was just made: the only time that anybody sees it. */
export interface CreatedToken {
  readonly token: Token;
  readonly secret: string;
}
export interface Tokens {
  create(
    facts: { readonly name: string; readonly role: Role; readonly expiresInMs: number | null },
    actor: string,
  ): Promise<CreatedToken | null>;
  revoke(id: string, actor: string): Promise<boolean>;
}
