import { isInterfaceType, isObjectType, isUnionType, type GraphQLObjectType } from 'graphql';
import { EXIT_CODES } from '../../server/cli/exit-code.ts';
import { FAILURE_KINDS } from '../../server/domain/failure.ts';
import { code, heading, page, table } from './markdown.ts';
import { readSchema } from './read-schema.ts';

/** What `extensions.code` of a top-level error may be. A test finds every code that server/api uses in here. */
export const TOP_LEVEL_CODES: Readonly<Record<string, string>> = {
  BAD_CURSOR: 'The cursor was not made by this server, or the events behind it are gone. Begin without it.',
  BAD_REQUEST: 'Syntax, validation or coercion: the operation does not fit the schema.',
  BAD_USER_INPUT:
    'An argument has a value that it may not have, for example too large a page; or the request’s JSON holds a number that cannot be kept exactly, or a key twice: `reason` is then `INEXACT_NUMBER` or `DUPLICATE_KEY`, and `place` has path, line and column.',
  ENGINE_SILENT: 'The command is stored, but no engine has settled it yet. It will be; ask again.',
  FORBIDDEN: "The token's role may not do this. `requiredRole` says which may.",
  INTERNAL: 'Something went wrong in the server. `incident` is the id under which its log holds the cause.',
  NOT_FOUND: 'What was named does not exist, where a null would say too little.',
  QUERY_TOO_LARGE: 'The operation is too deep, too long or would cost too much. Ask for less, or for smaller pages.',
  TOO_MANY: 'Too many at once, for example subscriptions of one connection. End some first.',
  UNAUTHENTICATED: 'No token, or none that is known, or one that was revoked or has expired.',
  UNAVAILABLE: 'The database cannot be reached. `retryAfterSeconds` says when to try again.',
};

/** docs/reference/errors.md */
export function errorsPage(): string {
  const intro =
    'Gantry tells three kinds of failure apart. A **refusal** is part of the API: a mutation answers a union whose ' +
    'members other than the payload implement `interface Error`. A **top-level error** in `errors` is about the request ' +
    'or the server and bears `extensions.code`. A **failure** belongs to an attempt and says who pays for the next try.';
  return page([
    heading('Errors', intro, 'schema.graphql, server/domain/failure.ts and server/cli/exit-code.ts'),
    '## Refusals of mutations',
    table(
      ['type', 'means', 'fields', 'returned by'],
      refusalTypes().map((type) => [
        code(type.name),
        type.description ?? '',
        Object.keys(type.getFields()).map(code).join(', '),
        mutationsReturning(type).map(code).join(', '),
      ]),
    ),
    '## Codes of top-level errors',
    table(
      ['`extensions.code`', 'means'],
      Object.entries(TOP_LEVEL_CODES).map(([name, meaning]) => [code(name), meaning]),
    ),
    '## Kinds of failure of an attempt',
    table(
      ['kind', 'means'],
      FAILURE_KINDS.map((kind) => [code(kind), failureMeaning(kind)]),
    ),
    '## Exit codes of the command line',
    table(
      ['code', 'means'],
      Object.values(EXIT_CODES).map(({ code: number, meaning }) => [String(number), meaning]),
    ),
  ]);
}

function refusalTypes(): readonly GraphQLObjectType[] {
  const schema = readSchema();
  const error = schema.getType('Error');
  if (!isInterfaceType(error)) throw new Error('schema.graphql has no interface Error.');
  return schema.getPossibleTypes(error).toSorted((a, b) => a.name.localeCompare(b.name));
}

function mutationsReturning(type: GraphQLObjectType): readonly string[] {
  const fields = Object.values(readSchema().getMutationType()?.getFields() ?? {});
  return fields.flatMap((field) => {
    const result = readSchema().getType(String(field.type).replace(/!$/, ''));
    return isUnionType(result) && result.getTypes().includes(type) ? [field.name] : [];
  });
}

function failureMeaning(kind: string): string {
  const kinds = readSchema().getType('FailureKind');
  if (!kinds || isObjectType(kinds) || !('getValue' in kinds)) return '';
  return kinds.getValue(kind)?.description ?? '';
}
