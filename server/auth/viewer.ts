import type { Role } from './roles.ts';

/** Who asks: what is known of the token that a request came with. */
export interface Viewer {
  readonly tokenId: string;
  /** The token's name: what audit records and runs call the actor. */
  readonly name: string;
  readonly role: Role;
  /** Milliseconds since the epoch; null for a token that does not expire. */
  readonly expiresAt: number | null;
}
