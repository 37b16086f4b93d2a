import {
  createSourceEventStream,
  type GraphQLError,
  validateSubscriptionArgs,
  type ExecutionResult,
  type GraphQLSchema,
} from 'graphql';
import type { Viewer } from '../auth/viewer.ts';
import { createContext, type ApiPorts } from './context.ts';
import { publicError, publicFault } from './errors.ts';
import type { Operation, Variables } from './operations.ts';

/** The events of a subscription before they are executed, or what keeps it from beginning. */
export async function openSource(
  schema: GraphQLSchema,
  { document, operationName }: Operation,
  ports: ApiPorts,
  viewer: Viewer,
  variables: Variables,
  signal: AbortSignal,
): Promise<{ readonly events: AsyncIterable<unknown> } | { readonly errors: readonly GraphQLError[] }> {
  const args = validateSubscriptionArgs({
    schema,
    document,
    operationName,
    variableValues: variables,
    contextValue: createContext(ports, viewer, signal),
  });
  if (!('schema' in args)) return { errors: args.map((error) => publicError(error, ports.log)) };
  const stream = await createSourceEventStream(args);
  if (Symbol.asyncIterator in stream) return { events: stream };
  return { errors: (stream.errors ?? []).map((error) => publicError(error, ports.log)) };
}

/** One event, executed with loaders of its own, so that it shows what is true now. */
export async function executeEvent(
  operation: Operation,
  ports: ApiPorts,
  viewer: Viewer,
  variables: Variables,
  event: unknown,
): Promise<ExecutionResult> {
  const result = await operation.execute(event, createContext(ports, viewer), variables);
  if (result.errors === undefined) return result;
  return { ...result, errors: result.errors.map((error) => publicError(error, ports.log)) };
}

/** Every event of a subscription, executed. Ends with an errors-only result when the source fails. */
export async function* responses(
  schema: GraphQLSchema,
  operation: Operation,
  ports: ApiPorts,
  viewer: Viewer,
  variables: Variables,
  signal: AbortSignal,
): AsyncGenerator<ExecutionResult, void, void> {
  const source = await openSource(schema, operation, ports, viewer, variables, signal);
  if ('errors' in source) {
    yield { errors: source.errors };
    return;
  }
  try {
    for await (const event of source.events) {
      if (!ports.tokens.isGood(viewer)) return;
      yield await executeEvent(operation, ports, viewer, variables, event);
    }
  } catch (error) {
    yield { errors: [publicFault(error, ports.log)] };
  }
}
