import SchemaBuilder, {
  BasePlugin,
  type FieldNullability,
  type InputFieldMap,
  type PothosOutputFieldConfig,
  type PothosTypeConfig,
  type SchemaTypes,
  type TypeParam,
} from '@pothos/core';
import { defaultFieldResolver, type GraphQLFieldResolver } from 'graphql';
import { assertRole } from '../auth/policy.ts';
import type { Role } from '../auth/roles.ts';
import type { ApiContext } from './context.ts';

declare global {
  export namespace PothosSchemaTypes {
    interface Plugins<Types extends SchemaTypes> {
      requireRole: RequireRole<Types>;
    }
    interface BaseTypeOptions<Types extends SchemaTypes = SchemaTypes> {
      /** Who may see anything of this type. Object types and interfaces do not build without it. */
      role?: Role;
    }
    interface FieldOptions<
      Types extends SchemaTypes = SchemaTypes,
      ParentShape = unknown,
      Type extends TypeParam<Types> = TypeParam<Types>,
      Nullable extends FieldNullability<Type> = FieldNullability<Type>,
      Args extends InputFieldMap = InputFieldMap,
      ResolveShape = unknown,
      ResolveReturnShape = unknown,
    > {
      /** Who may ask for this field. Root fields do not build without it; another field's default is its type's. */
      role?: Role;
    }
  }
}

const isRoot = (kind: string) => kind === 'Query' || kind === 'Mutation' || kind === 'Subscription';

const isPlainProperty = ({
  name,
  extensions,
}: {
  readonly name: string;
  readonly extensions?: object | null | undefined;
}) => (extensions as { readonly pothosExposedField?: unknown } | null | undefined)?.pothosExposedField === name;

/**
 * Default deny. A type or root field that names no role does not build. The role is written into the GraphQL schema,
 * where `required-role.ts` reads it for a whole document before anything runs; and root fields check it once more
 * when they are resolved, so that a transport that forgot the first check is still refused.
 */
export class RequireRole<Types extends SchemaTypes> extends BasePlugin<Types> {
  override onTypeConfig(config: PothosTypeConfig): PothosTypeConfig {
    if (config.kind !== 'Object' && config.kind !== 'Interface' && !isRoot(config.kind)) return config;
    const { role } = config.pothosOptions as { role?: Role };
    if (role === undefined) throw new Error(`The type ${config.name} says nobody's role: add \`role\`.`);
    return { ...config, extensions: { ...config.extensions, role } };
  }

  override onOutputFieldConfig(config: PothosOutputFieldConfig<Types>): PothosOutputFieldConfig<Types> {
    const { role } = config.pothosOptions as { role?: Role };
    if (role !== undefined) return { ...config, extensions: { ...config.extensions, role } };
    if (isRoot(config.kind)) {
      throw new Error(`The field ${config.parentType}.${config.name} says nobody's role: add \`role\`.`);
    }
    return config;
  }

  override wrapResolve(
    resolve: GraphQLFieldResolver<unknown, Types['Context'], object>,
    config: PothosOutputFieldConfig<Types>,
  ): GraphQLFieldResolver<unknown, Types['Context'], object> {
    return this.#guarded(resolve, config);
  }

  override wrapSubscribe(
    subscribe: GraphQLFieldResolver<unknown, Types['Context'], object> | undefined,
    config: PothosOutputFieldConfig<Types>,
  ): GraphQLFieldResolver<unknown, Types['Context'], object> | undefined {
    return subscribe && this.#guarded(subscribe, config);
  }

  #guarded(
    resolve: GraphQLFieldResolver<unknown, Types['Context'], object>,
    config: PothosOutputFieldConfig<Types>,
  ): GraphQLFieldResolver<unknown, Types['Context'], object> {
    // A property of the same name needs no resolver: Pothos leaves this one out, and the compiler reads it in place.
    if (!isRoot(config.kind)) return isPlainProperty(config) ? defaultFieldResolver : resolve;
    const { role } = config.pothosOptions as { role?: Role };
    const subject = `${config.parentType}.${config.name}`;
    return (parent, args, context, info) => {
      assertRole((context as ApiContext).viewer, role!, subject);
      return resolve(parent, args, context, info);
    };
  }
}

SchemaBuilder.registerPlugin('requireRole', RequireRole);
