import {
  GraphQLError,
  isCompositeType,
  Kind,
  getNamedType,
  type DocumentNode,
  type FieldNode,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { DEFAULT_PAGE, MAX_PAGE } from './connections.ts';

/** What a document may be at most. The same on every transport. */
export const LIMITS = {
  /** Fields within fields; what asks about the schema itself may go deeper, and is bounded by its own rule. */
  depth: 10,
  introspectionDepth: 20,
  aliases: 15,
  directives: 20,
  tokens: 2_000,
  /** Objects that it could yield at most. */
  cost: 5_000,
} as const;

/** How many objects a plain list is thought to have, unless its field's extension `expectedLength` says it. */
const LIST_LENGTH = 10;
const expectedLength = ({ extensions }: Pick<GraphQLField<unknown, unknown>, 'extensions'>): number =>
  typeof extensions['expectedLength'] === 'number' ? extensions['expectedLength'] : LIST_LENGTH;

const tooMuch = (message: string): GraphQLError =>
  new GraphQLError(message, { extensions: { code: 'QUERY_TOO_LARGE' } });

/** What of the limits on shape a document breaks; null when it keeps them. Looks at text only: no schema is needed. */
export function shapeFault(document: DocumentNode): GraphQLError | null {
  let aliases = 0;
  let directives = 0;
  const fragments = new Map<string, SelectionSetNode>();
  const count = (set: SelectionSetNode | undefined): void => {
    for (const selection of set?.selections ?? []) {
      directives += selection.directives?.length ?? 0;
      if (selection.kind === Kind.FIELD && selection.alias) aliases++;
      if (selection.kind !== Kind.FRAGMENT_SPREAD) count(selection.selectionSet);
    }
  };
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION && definition.kind !== Kind.FRAGMENT_DEFINITION) continue;
    directives += definition.directives?.length ?? 0;
    count(definition.selectionSet);
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition.selectionSet);
    for (const variable of definition.variableDefinitions ?? []) directives += variable.directives?.length ?? 0;
  }
  if (aliases > LIMITS.aliases)
    return tooMuch(`A document may hold at most ${LIMITS.aliases} aliases, not ${aliases}.`);
  if (directives > LIMITS.directives) {
    return tooMuch(`A document may hold at most ${LIMITS.directives} directives, not ${directives}.`);
  }
  const depths = depthsOf(document, fragments);
  if (depths.plain > LIMITS.depth || depths.introspection > LIMITS.introspectionDepth) {
    return tooMuch(`Fields may lie at most ${LIMITS.depth} levels deep.`);
  }
  return null;
}

interface Depths {
  readonly plain: number;
  readonly introspection: number;
}

/** The deepest field of the document. Each fragment is measured once; one that holds itself counts as endless. */
function depthsOf(document: DocumentNode, fragments: ReadonlyMap<string, SelectionSetNode>): Depths {
  const measured = new Map<string, number>();
  const depth = (set: SelectionSetNode | undefined): number => {
    let deepest = 0;
    for (const selection of set?.selections ?? []) {
      const here =
        selection.kind === Kind.FIELD
          ? 1 + depth(selection.selectionSet)
          : selection.kind === Kind.INLINE_FRAGMENT
            ? depth(selection.selectionSet)
            : fragmentDepth(selection.name.value);
      if (here > deepest) deepest = here;
    }
    return deepest;
  };
  const fragmentDepth = (name: string): number => {
    const known = measured.get(name);
    if (known !== undefined) return known;
    measured.set(name, Number.POSITIVE_INFINITY);
    const found = depth(fragments.get(name));
    measured.set(name, found);
    return found;
  };
  let plain = 0;
  let introspection = 0;
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    for (const selection of definition.selectionSet.selections) {
      const isMeta = selection.kind === Kind.FIELD && selection.name.value.startsWith('__');
      const here = depth({ ...definition.selectionSet, selections: [selection] });
      if (isMeta) introspection = Math.max(introspection, here);
      else plain = Math.max(plain, here);
    }
  }
  return { plain, introspection };
}

/** Objects that an operation could yield at most, for the variables that it comes with. */
export type Cost = (variables: Readonly<Record<string, unknown>>) => number;

/**
 * Works out what an operation costs: every object counts one, an item of a connection as often as `first` says, an
 * item of a list ten times; leaves cost nothing. Where no variable has a say it is worked out once. The document must
 * be valid.
 */
export function costOf(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode): Cost {
  const fragments = new Map<string, { readonly set: SelectionSetNode; readonly type: GraphQLCompositeType }>();
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.FRAGMENT_DEFINITION) continue;
    const type = schema.getType(definition.typeCondition.name.value);
    if (isCompositeType(type)) fragments.set(definition.name.value, { set: definition.selectionSet, type });
  }
  let dependsOnVariables = false;

  const pageLength = (field: FieldNode, variables: Readonly<Record<string, unknown>>): number => {
    const given = field.arguments?.find(({ name }) => name.value === 'first')?.value;
    if (given === undefined) return DEFAULT_PAGE;
    if (given.kind === Kind.INT) return Math.max(0, Number(given.value));
    if (given.kind !== Kind.VARIABLE) return DEFAULT_PAGE;
    dependsOnVariables = true;
    const value = variables[given.name.value];
    // What is no number is refused when the variables are read; a default is not looked up: the largest is assumed.
    if (value === undefined) return MAX_PAGE;
    return typeof value === 'number' ? Math.max(0, value) : DEFAULT_PAGE;
  };

  /** `items` is how long the page is that this selection is the connection of. */
  const cost = (
    set: SelectionSetNode,
    type: GraphQLCompositeType,
    variables: Readonly<Record<string, unknown>>,
    items: number,
    known: Map<string, number>,
  ): number => {
    let sum = 0;
    for (const selection of set.selections) {
      if (selection.kind === Kind.FRAGMENT_SPREAD) {
        const key = `${items} ${selection.name.value}`;
        const fragment = fragments.get(selection.name.value);
        if (fragment === undefined) continue;
        if (!known.has(key)) known.set(key, cost(fragment.set, fragment.type, variables, items, known));
        sum += known.get(key)!;
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        const condition = selection.typeCondition && schema.getType(selection.typeCondition.name.value);
        sum += cost(selection.selectionSet, isCompositeType(condition) ? condition : type, variables, items, known);
      } else {
        sum += fieldCost(selection, type, variables, items, known);
      }
    }
    return sum;
  };

  const fieldCost = (
    selection: FieldNode,
    type: GraphQLCompositeType,
    variables: Readonly<Record<string, unknown>>,
    items: number,
    known: Map<string, number>,
  ): number => {
    // Introspection yields no objects of ours and has a rule of its own (MaxIntrospectionDepthRule).
    if (selection.name.value.startsWith('__') || !selection.selectionSet) return 0;
    const field = fieldOf(type, selection.name.value);
    const inner = field && getNamedType(field.type);
    if (!isCompositeType(inner)) return 0;
    if (inner.extensions['isConnection'] === true) {
      return 1 + cost(selection.selectionSet, inner, variables, pageLength(selection, variables), known);
    }
    if (type.extensions['isConnection'] === true && selection.name.value !== 'pageInfo') {
      const each = cost(selection.selectionSet, inner, variables, 1, known);
      return items * (selection.name.value === 'nodes' ? 1 + each : each);
    }
    const each = 1 + cost(selection.selectionSet, inner, variables, 1, known);
    if (!isListOf(field!)) return each;
    return (
      each *
      (field!.args.some(({ name }) => name === 'first') ? pageLength(selection, variables) : expectedLength(field!))
    );
  };

  const root = schema.getRootType(operation.operation);
  if (!root) return () => 0;
  const measure: Cost = (variables) => cost(operation.selectionSet, root, variables, 1, new Map());
  const constant = measure({});
  return dependsOnVariables ? measure : () => constant;
}

/** Refuses an operation that could yield too much. */
export function costFault(cost: number): GraphQLError | null {
  if (cost <= LIMITS.cost) return null;
  return tooMuch(
    `This could yield ${cost} objects, and ${LIMITS.cost} is the most for one operation. Ask for smaller pages.`,
  );
}

function fieldOf(type: GraphQLCompositeType, name: string): GraphQLField<unknown, unknown> | undefined {
  return 'getFields' in type ? type.getFields()[name] : undefined;
}

const isListOf = (field: GraphQLField<unknown, unknown>): boolean => String(field.type).startsWith('[');
