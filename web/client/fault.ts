/** An error as GraphQL sends it. */
export interface GraphQLErrorText {
  readonly message: string;
  readonly extensions?: { readonly code?: string; readonly incident?: string };
}

/** The code of a fault that is over as soon as the server can be reached. */
export const UNREACHABLE = 'UNREACHABLE';

/** Something that the server, or the way to it, refused. Its message is for people. */
export class Fault extends Error {
  override readonly name = 'Fault';
  /** `UNREACHABLE`, `UNAUTHENTICATED`, `NOT_FOUND`, … */
  readonly code: string;
  /** What to tell an operator, who finds it in the server's log. */
  readonly incident: string | null;

  constructor(message: string, code: string, incident: string | null = null) {
    super(message);
    this.code = code;
    this.incident = incident;
  }
}

/** The first of the errors that an answer carries, as a fault. */
export function faultOf(errors: readonly GraphQLErrorText[]): Fault {
  const [first] = errors;
  return new Fault(
    first?.message ?? 'The server answered with an error that it did not explain.',
    first?.extensions?.code ?? 'UNKNOWN',
    first?.extensions?.incident ?? null,
  );
}

/** Any error as a fault. */
export const asFault = (error: unknown): Fault =>
  error instanceof Fault ? error : new Fault(error instanceof Error ? error.message : String(error), 'UNKNOWN');
