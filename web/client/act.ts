import { ask } from './ask.ts';
import { Fault } from './fault.ts';
import type { Operation } from './operation.ts';

/** A result that says no: every one has a message for people. */
interface Refused {
  readonly __typename: string;
  readonly message: string;
  readonly problems?: readonly { readonly message: string }[];
}

type Result = { readonly __typename: string };
type Payload<Each> = Each extends Refused ? never : Each;

/**
 * Does a mutation of one field. Yields its payload; a refusal is thrown as a `Fault` whose message names every problem.
 */
export async function act<Data extends Readonly<Record<string, Result>>, Variables>(
  operation: Operation<Data, Variables>,
  variables: Variables,
): Promise<Payload<Data[keyof Data]>> {
  const data = await ask(operation, variables);
  const result = Object.values(data)[0] as Result | Refused;
  if ('message' in result) {
    const details = result.problems?.map(({ message }) => message) ?? [];
    throw new Fault([result.message, ...details].join(' '), result.__typename);
  }
  return result as Payload<Data[keyof Data]>;
}
