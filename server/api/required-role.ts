import {
  getNamedType,
  isCompositeType,
  TypeInfo,
  visit,
  visitWithTypeInfo,
  type DocumentNode,
  type GraphQLSchema,
} from 'graphql';
import { Forbidden } from '../auth/policy.ts';
import { hasRole, type Role } from '../auth/roles.ts';
import type { Viewer } from '../auth/viewer.ts';

/** A role that something in a document asks for, and what that is. */
export interface RequiredRole {
  readonly role: Role;
  /** `Mutation.cancelRun`, or a type's name. */
  readonly subject: string;
}

/**
 * The roles that a valid document asks for: of its fields, and of every type that it could yield. What is skipped by
 * a directive counts too. Worked out once per document; all operations of a document count, whichever is run.
 */
export function requiredRoles(schema: GraphQLSchema, document: DocumentNode): readonly RequiredRole[] {
  const found = new Map<Role, RequiredRole>();
  const need = (role: unknown, subject: string) => {
    if (typeof role === 'string' && !found.has(role as Role)) found.set(role as Role, { role: role as Role, subject });
  };
  const types = new TypeInfo(schema);
  visit(
    document,
    visitWithTypeInfo(types, {
      Field() {
        const field = types.getFieldDef();
        const parent = types.getParentType();
        if (field && parent) need(field.extensions['role'], `${parent.name}.${field.name}`);
        const yields = field && getNamedType(field.type);
        if (isCompositeType(yields)) need(yields.extensions['role'], yields.name);
      },
      InlineFragment() {
        const type = types.getType();
        if (isCompositeType(type)) need(type.extensions['role'], type.name);
      },
      FragmentDefinition() {
        const type = types.getType();
        if (isCompositeType(type)) need(type.extensions['role'], type.name);
      },
    }),
  );
  return [...found.values()];
}

/** Throws Forbidden unless the viewer has every one of the roles. */
export function assertRoles(viewer: Viewer, required: readonly RequiredRole[]): void {
  for (const { role, subject } of required) {
    if (!hasRole(viewer.role, role)) throw new Forbidden(subject, role, viewer.role);
  }
}
