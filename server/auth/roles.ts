import type { Role } from '../store/store.ts';

export type { Role };

/** The roles of people and programs, from least to most: each may do whatever the one before it may. */
export const PEOPLE_ROLES = ['VIEWER', 'OPERATOR', 'AUTHOR', 'ADMIN'] as const satisfies readonly Role[];
export type PeopleRole = (typeof PEOPLE_ROLES)[number];

/** Every role. NODE stands apart: it may do only what is asked of NODE, and nobody else may do that. */
export const ROLES = [...PEOPLE_ROLES, 'NODE'] as const satisfies readonly Role[];

const ranks: Readonly<Record<Role, number>> = { VIEWER: 1, OPERATOR: 2, AUTHOR: 3, ADMIN: 4, NODE: 0 };

/** Whether somebody with the role `held` may do what asks for `required`. */
export function hasRole(held: Role, required: Role): boolean {
  return held === 'NODE' || required === 'NODE' ? held === required : ranks[held] >= ranks[required];
}

/** Whether a text is the name of a role. */
export function isRole(text: string): text is Role {
  return (ROLES as readonly string[]).includes(text);
}
