import { hasRole, type Role } from './roles.ts';
import type { Viewer } from './viewer.ts';

/** Nobody, or nobody that is known, asked. */
export class Unauthenticated extends Error {
  override readonly name = 'Unauthenticated';
}

/** Somebody asked for what another role may do. */
export class Forbidden extends Error {
  override readonly name = 'Forbidden';
  readonly required: Role;

  constructor(subject: string, required: Role, held: Role) {
    super(`${subject} needs the role ${required}; this token has the role ${held}.`);
    this.required = required;
  }
}

/** Throws Forbidden unless the viewer's role is enough. `subject` begins the message: `Mutation.cancelRun`. */
export function assertRole(viewer: Viewer, required: Role, subject: string): void {
  if (!hasRole(viewer.role, required)) throw new Forbidden(subject, required, viewer.role);
}
