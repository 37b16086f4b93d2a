import type { TokensData } from '../../client/operations.ts';
import type { TokenState } from '../../design/states.ts';

/** A token as the list shows it. */
export type TokenRow = TokensData['tokens'][number];

/** Whether it is good at `now`, in milliseconds. */
export function tokenState({ revokedAt, expiresAt }: TokenRow, now: number): TokenState {
  if (revokedAt !== null) return 'REVOKED';
  return expiresAt !== null && Date.parse(expiresAt) <= now ? 'EXPIRED' : 'GOOD';
}
