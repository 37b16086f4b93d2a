/** Any JSON value, as the `JSON` scalar yields it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** One GraphQL operation as text, with the types of what it yields and takes. */
export interface Operation<Data, Variables> {
  readonly name: string;
  readonly text: string;
  /** Never there; carries the types. */
  readonly types?: (variables: Variables) => Data;
}
