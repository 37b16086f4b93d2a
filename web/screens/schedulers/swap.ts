import { ask } from '../../client/ask.ts';
import { Fault } from '../../client/fault.ts';
import { UpdatePool, type UpdatePoolData, type UpdatePoolInput } from '../../client/operations.ts';
import type { Config } from '../../design/schema-draft.ts';

/** What `updatePool` answers when it says yes. */
export type Swapped = Extract<UpdatePoolData['updatePool'], { readonly __typename: 'UpdatePoolPayload' }>;

/** What another scheduler would change. */
export type SwapPlan = Swapped['plan'];

/** A scheduler and its config. */
export interface Choice {
  readonly scheduler: string;
  readonly config: Config;
}

/** The server does not take a config; it says what is wrong by field. */
export class ConfigFault extends Fault {
  readonly byField: Readonly<Record<string, string>>;

  constructor(message: string, byField: Readonly<Record<string, string>>) {
    super(message, 'InvalidScheduler');
    this.byField = byField;
  }
}

/** Changes a pool, or plans it with `dryRun`. Rejects with a `Fault`; with a `ConfigFault` where a field is wrong. */
export async function updatePool(input: UpdatePoolInput): Promise<Swapped> {
  const { updatePool: result } = await ask(UpdatePool, { input });
  if (result.__typename === 'UpdatePoolPayload') return result;
  if (result.__typename !== 'InvalidScheduler') throw new Fault(result.message, result.__typename);
  const byField: Record<string, string> = {};
  for (const { path, message, remedy } of result.problems) {
    const text = remedy === null ? message : `${message} ${remedy}`;
    const name = path[0] ?? '';
    byField[name] = byField[name] === undefined ? text : `${byField[name]} ${text}`;
  }
  throw new ConfigFault(result.message, byField);
}
