import type { Role } from '../../client/operations.ts';

/** What each role may do, for whoever chooses one. Each but NODE may do what those before it may. */
export const ROLES: Readonly<Record<Role, string>> = {
  VIEWER: 'Sees everything but tokens and the audit log.',
  OPERATOR: 'Also triggers, cancels, retries and pauses runs.',
  AUTHOR: 'Also applies and deletes pipelines.',
  ADMIN: 'Also cordons nodes, changes schedulers, makes tokens and reads the audit log.',
  NODE: 'For the agent of a node, and nothing else.',
};

/** From the one that may do least. */
export const ROLE_NAMES = Object.keys(ROLES) as readonly Role[];
