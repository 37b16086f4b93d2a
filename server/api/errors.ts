import { randomUUID } from 'node:crypto';
import { GraphQLError } from 'graphql';
import { Forbidden, Unauthenticated } from '../auth/policy.ts';
import { EngineSilent } from '../commands/submit.ts';
import { StaleCursor } from '../events/follow.ts';
import { InvalidCursor, StoreUnavailable } from '../store/store.ts';
import { builder } from './builder.ts';
import type { ApiLog } from './context.ts';

/** What all refusals of mutations have in common. */
export const ErrorInterface = builder.interfaceRef<{ readonly message: string }>('Error').implement({
  role: 'VIEWER',
  description: 'Why a mutation did not do what was asked. Every member of a result union that is no payload is one.',
  fields: (t) => ({
    message: t.exposeString('message', { description: 'A sentence for people: what is wrong, and what to do.' }),
  }),
});

/** A refusal that a resolver returns: the union's type resolver reads its `refusal`, which is the type's name. */
export interface Refusal<Name extends string = string> {
  readonly refusal: Name;
  readonly message: string;
}

/** Declares an error type without fields of its own. */
export function refusalType<Name extends string>(name: Name, description: string) {
  return builder
    .objectRef<Refusal<Name>>(name)
    .implement({ role: 'VIEWER', description, interfaces: [ErrorInterface] });
}

/** The type of a member of a result union: a refusal's own name, or else the payload's. */
export function resultType(payload: string): (value: unknown) => string {
  return (value) => (value as Partial<Refusal>).refusal ?? payload;
}

/** An error for what a client wrote. */
export function badInput(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } });
}

/** An error for a client that takes more than its share. */
export function tooMany(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'TOO_MANY' } });
}

/** An error for what is not there, where a null would say too little. */
export function notFound(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'NOT_FOUND' } });
}

/** An error of which the client may know everything, from one that was thrown; null for an unexpected one. */
function expected(error: unknown): GraphQLError | null {
  const say = (code: string, extensions: Readonly<Record<string, unknown>> = {}) =>
    new GraphQLError((error as Error).message, { extensions: { ...extensions, code } });
  if (error instanceof Forbidden) return say('FORBIDDEN', { requiredRole: error.required });
  if (error instanceof Unauthenticated) return say('UNAUTHENTICATED');
  if (error instanceof InvalidCursor || error instanceof StaleCursor) return say('BAD_CURSOR');
  if (error instanceof EngineSilent) return say('ENGINE_SILENT', { isStored: true });
  if (error instanceof StoreUnavailable) {
    return new GraphQLError('The database cannot be reached at the moment. Try again in a few seconds.', {
      extensions: { code: 'UNAVAILABLE', retryAfterSeconds: 5 },
    });
  }
  return null;
}

/**
 * What a client is told of an error: itself when it is one of ours, otherwise that something went wrong and under
 * which incident id the operator finds it in the log. Never a stack.
 */
export function publicError(error: GraphQLError, log: ApiLog): GraphQLError {
  const original = error.originalError;
  // Syntax, validation and coercion errors are made by graphql-js and have no original; ours are GraphQLErrors.
  if (original === undefined || original === null || original instanceof GraphQLError) {
    // Of the compiler's own errors, those without extensions have none at all.
    const extensions = (error.extensions as GraphQLError['extensions'] | undefined) ?? {};
    if (extensions['code'] !== undefined) return error;
    return located(new GraphQLError(error.message, { extensions: { ...extensions, code: 'BAD_REQUEST' } }), error);
  }
  const known = expected(original);
  if (known) return located(known, error);
  const incident = randomUUID();
  log('error', 'An operation failed unexpectedly.', { incident, path: error.path?.join('.'), error: original });
  const message = `Something went wrong in the server. The operator finds it in the log under incident ${incident}.`;
  return located(new GraphQLError(message, { extensions: { code: 'INTERNAL', incident } }), error);
}

/** The same error at the place of another, of which only that is taken. */
function located(error: GraphQLError, { path, locations }: GraphQLError): GraphQLError {
  const placed = new GraphQLError(error.message, { path: path ?? null, extensions: error.extensions });
  return locations ? Object.defineProperty(placed, 'locations', { value: locations, enumerable: true }) : placed;
}

/** Turns anything that was thrown outside an execution into an error that a client may see. */
export function publicFault(fault: unknown, log: ApiLog): GraphQLError {
  if (fault instanceof GraphQLError) return publicError(fault, log);
  return publicError(
    new GraphQLError('', { originalError: fault instanceof Error ? fault : new Error(String(fault)) }),
    log,
  );
}
