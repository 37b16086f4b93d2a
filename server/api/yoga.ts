import { GraphQLError, parse, type GraphQLSchema } from 'graphql';
import { createYoga, type Plugin, type YogaServerInstance } from 'graphql-yoga';
import type { Viewer } from '../auth/viewer.ts';
import { createContext, type ApiContext, type ApiPorts } from './context.ts';
import { publicFault } from './errors.ts';
import { LIMITS, shapeFault } from './limits.ts';
import type { Operations, Variables } from './operations.ts';
import { BadRequest, paramsOfAddress, paramsOfBody, type RequestParams } from './request-params.ts';
import { responses } from './subscription.ts';

/** What the server hands to yoga with a request. */
export interface YogaRequest {
  readonly viewer: Viewer;
  /** Aborted when the client goes away, or its token ends. */
  readonly signal: AbortSignal;
}

/** GraphQL for what is no plain POST of JSON: GET, event streams, other bodies. Under the same limits and roles. */
export function createYogaHandler(
  schema: GraphQLSchema,
  ports: ApiPorts,
  operations: Operations,
): YogaServerInstance<YogaRequest, ApiContext> {
  return createYoga<YogaRequest, ApiContext>({
    schema,
    graphqlEndpoint: '/graphql',
    cors: false,
    batching: false,
    multipart: false,
    graphiql: false,
    landingPage: false,
    logging: false,
    parserAndValidationCache: false,
    maskedErrors: { maskError: (error) => publicFault(error, ports.log) },
    context: ({ viewer, signal }) => createContext(ports, viewer, signal),
    plugins: [useLimits(ports, operations)],
  });
}

function useLimits(ports: ApiPorts, operations: Operations): Plugin<ApiContext & YogaRequest> {
  const admitted = (
    document: Parameters<typeof operations.prepareParsed>[0],
    operationName: string | null | undefined,
    viewer: Viewer,
    variables: Variables,
  ) => {
    const operation = operations.prepareParsed(document, operationName ?? null);
    if (!('execute' in operation)) return { errors: operation };
    try {
      const fault = operations.admit(operation, viewer, variables);
      return fault ? { errors: [fault] } : { operation };
    } catch (error) {
      return { errors: [publicFault(error, ports.log)] };
    }
  };
  return {
    onRequestParse: ({ request, setRequestParser }) => setRequestParser(async () => params(await readRequest(request))),
    onParse: ({ setParseFn }) => setParseFn((source: string) => parse(source, { maxTokens: LIMITS.tokens })),
    onValidate: ({ params, setResult }) => {
      const fault = shapeFault(params.documentAST);
      if (fault) setResult([fault]);
    },
    onExecute: ({ args, setResultAndStopExecution }) => {
      const variables = (args.variableValues ?? {}) as Variables;
      const { viewer } = args.contextValue;
      const outcome = admitted(args.document, args.operationName, viewer, variables);
      if ('errors' in outcome) setResultAndStopExecution({ errors: outcome.errors as GraphQLError[] });
    },
    onSubscribe: ({ args, setResultAndStopExecution, setSubscribeFn }) => {
      const variables = (args.variableValues ?? {}) as Variables;
      const { viewer, signal } = args.contextValue;
      const outcome = admitted(args.document, args.operationName, viewer, variables);
      if ('errors' in outcome) setResultAndStopExecution({ errors: outcome.errors as GraphQLError[] });
      else {
        setSubscribeFn(() =>
          responses(
            operations.schema,
            outcome.operation,
            ports,
            viewer,
            variables,
            signal ?? new AbortController().signal,
          ),
        );
      }
    },
  };
}

/** Reads a request as the plain path does: under the same rules, and with the same words. */
async function readRequest(request: Request): Promise<RequestParams> {
  try {
    return request.method === 'GET'
      ? paramsOfAddress(new URL(request.url).searchParams)
      : paramsOfBody(Buffer.from(await request.arrayBuffer()));
  } catch (error) {
    if (!(error instanceof BadRequest)) throw error;
    const [first] = error.errors;
    const { message, extensions } = first!;
    throw new GraphQLError(message, { extensions: { ...extensions, http: { status: error.status } } });
  }
}

const params = ({ query, operationName, variables }: RequestParams) => ({
  query,
  ...(operationName === null ? {} : { operationName }),
  variables: { ...variables },
});
