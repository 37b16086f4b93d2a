import {
  BREAK,
  getNamedType,
  isScalarType,
  TypeInfo,
  visit,
  visitWithTypeInfo,
  type ASTNode,
  type DocumentNode,
  type GraphQLSchema,
} from 'graphql';

/**
 * Whether the compiler gives the same answers as graphql-js for a valid document. It works literals out once, so it
 * loses a variable that stands within a literal of a scalar: `params: { name: $name }`.
 */
export function canBeCompiled(schema: GraphQLSchema, document: DocumentNode): boolean {
  let isFaithful = true;
  const types = new TypeInfo(schema);
  const look = (node: ASTNode) => {
    const type = types.getInputType();
    if (!type || !isScalarType(getNamedType(type)) || !holdsVariable(node)) return undefined;
    isFaithful = false;
    return BREAK;
  };
  visit(document, visitWithTypeInfo(types, { ObjectValue: look, ListValue: look }));
  return isFaithful;
}

function holdsVariable(node: ASTNode): boolean {
  let isFound = false;
  visit(node, {
    Variable() {
      isFound = true;
      return BREAK;
    },
  });
  return isFound;
}
