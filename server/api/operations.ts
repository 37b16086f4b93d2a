import {
  execute,
  getOperationAST,
  GraphQLError,
  Kind,
  parse,
  specifiedRules,
  validate,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLSchema,
  type OperationTypeNode,
} from 'graphql';
import type { CompiledQuery } from 'graphql-jit';
import type { ApiContext } from './context.ts';
import { canBeCompiled } from './compilable.ts';
import { costFault, costOf, LIMITS, shapeFault, type Cost } from './limits.ts';
import { assertRoles, requiredRoles, type RequiredRole } from './required-role.ts';

/** The variables of an operation, as they came. */
export type Variables = Readonly<Record<string, unknown>>;

/** An operation that has been read, checked and, once it is asked for again, compiled. */
export interface Operation {
  readonly type: OperationTypeNode;
  readonly document: DocumentNode;
  readonly operationName: string | null;
  /** The name of the root field, for subscriptions. */
  readonly rootField: string;
  readonly roles: readonly RequiredRole[];
  readonly cost: Cost;
  /** Whether it runs as code of its own by now. */
  readonly isCompiled: boolean;
  /** Makes it so at once, where that is possible. */
  compile(): void;
  /** Only with a context whose viewer passed `admit`. */
  execute(root: unknown, context: ApiContext, variables: Variables): ExecutionResult | Promise<ExecutionResult>;
}

/** Documents kept, and the characters of all their texts together. */
const KEPT = 1_000;
const KEPT_CHARACTERS = 8 * 1024 * 1024;
/** A document is compiled when it comes this often: whoever never repeats one makes the server compile nothing. */
const COMPILED_AT = 2;
/** A client that got everything wrong need not be told more at once. */
const MAX_ERRORS = 10;

/** Reads, checks and keeps operations, so that one that comes again costs a look-up. */
export class Operations {
  readonly schema: GraphQLSchema;
  readonly #kept = new Map<string, Operation>();
  #characters = 0;
  /** Null for what cannot be compiled: that is interpreted for good. */
  #compile: ((document: DocumentNode, operationName: string | null) => CompiledQuery | null) | null = null;

  constructor(schema: GraphQLSchema) {
    this.schema = schema;
  }

  /** Loads the compiler, which takes a while: until then, operations are interpreted. */
  async load(): Promise<void> {
    const { compileQuery, isCompiledQuery } = await import('graphql-jit');
    this.#compile = (document, operationName) => {
      if (!canBeCompiled(this.schema, document)) return null;
      const compiled = compileQuery(this.schema, document, operationName ?? undefined);
      return isCompiledQuery(compiled) ? compiled : null;
    };
  }

  /** The operation, or what is wrong with it. Syntax, limits, rules and the operation's name are checked, in this order. */
  prepare(text: string, operationName: string | null): Operation | readonly GraphQLError[] {
    const key = operationName === null ? text : `${operationName}\n${text}`;
    const kept = this.#kept.get(key);
    if (kept) {
      // The last used is the last to go.
      this.#kept.delete(key);
      this.#kept.set(key, kept);
      return kept;
    }
    const operation = this.#read(text, operationName);
    if ('execute' in operation) this.#keep(key, operation);
    return operation;
  }

  /** Whether an operation may be run by this viewer with these variables: throws Forbidden, or yields what is wrong. */
  admit({ roles, cost }: Operation, viewer: ApiContext['viewer'], variables: Variables): GraphQLError | null {
    assertRoles(viewer, roles);
    return costFault(cost(variables));
  }

  #read(text: string, operationName: string | null): Operation | readonly GraphQLError[] {
    let document: DocumentNode;
    try {
      document = parse(text, { maxTokens: LIMITS.tokens });
    } catch (error) {
      if (error instanceof GraphQLError) return [error];
      throw error;
    }
    const fault = shapeFault(document);
    if (fault) return [fault];
    const errors = validate(this.schema, document, specifiedRules, { maxErrors: MAX_ERRORS });
    return errors.length > 0 ? errors : this.prepareParsed(document, operationName);
  }

  /** The operation of a document that is valid and within the limits on shape. Not kept. */
  prepareParsed(document: DocumentNode, operationName: string | null): Operation | readonly GraphQLError[] {
    const node = getOperationAST(document, operationName);
    if (!node) return [unknownOperation(document, operationName)];
    const first = node.selectionSet.selections[0];
    const compile = () => this.#compile?.(document, operationName);
    return new CheckedOperation(
      this.schema,
      document,
      operationName,
      node.operation,
      first?.kind === Kind.FIELD ? first.name.value : '',
      requiredRoles(this.schema, document),
      costOf(this.schema, document, node),
      compile,
    );
  }

  #keep(key: string, operation: Operation): void {
    this.#kept.set(key, operation);
    this.#characters += key.length;
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= KEPT && this.#characters <= KEPT_CHARACTERS) return;
      this.#kept.delete(oldest);
      this.#characters -= oldest.length;
    }
  }
}

function unknownOperation(document: DocumentNode, operationName: string | null): GraphQLError {
  const count = document.definitions.filter(({ kind }) => kind === 'OperationDefinition').length;
  if (operationName !== null) return new GraphQLError(`The document has no operation “${operationName.slice(0, 64)}”.`);
  return new GraphQLError(
    count === 0
      ? 'The document has no operation.'
      : `Say by \`operationName\` which of the ${count} operations is meant.`,
  );
}

/** Runs with graphql-js at first, and compiled once it has come back. Both give the same answers. */
class CheckedOperation implements Operation {
  readonly type: OperationTypeNode;
  readonly document: DocumentNode;
  readonly operationName: string | null;
  readonly rootField: string;
  readonly roles: readonly RequiredRole[];
  readonly cost: Cost;
  readonly #schema: GraphQLSchema;
  /** Undefined while there is no compiler yet, null when it cannot be compiled. */
  readonly #compile: () => CompiledQuery | null | undefined;
  #compiled: CompiledQuery | null | undefined;
  #calls = 0;

  constructor(
    schema: GraphQLSchema,
    document: DocumentNode,
    operationName: string | null,
    type: OperationTypeNode,
    rootField: string,
    roles: readonly RequiredRole[],
    cost: Cost,
    compile: () => CompiledQuery | null | undefined,
  ) {
    this.#schema = schema;
    this.document = document;
    this.operationName = operationName;
    this.type = type;
    this.rootField = rootField;
    this.roles = roles;
    this.cost = cost;
    this.#compile = compile;
  }

  get isCompiled(): boolean {
    return Boolean(this.#compiled);
  }

  compile(): void {
    if (this.#compiled === undefined) this.#compiled = this.#compile();
  }

  execute(root: unknown, context: ApiContext, variables: Variables): ExecutionResult | Promise<ExecutionResult> {
    if (this.#compiled) return this.#compiled.query(root, context, variables as Record<string, unknown>);
    if (++this.#calls >= COMPILED_AT) this.compile();
    return execute({
      schema: this.#schema,
      document: this.document,
      operationName: this.operationName,
      rootValue: root,
      contextValue: context,
      variableValues: variables,
    });
  }
}
