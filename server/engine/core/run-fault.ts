import type { RunId } from '../../domain/ids.ts';

/** The engine cannot go on with a run: a fault of ours, or rows that no check has found out. Names the run. */
export class RunFault extends Error {
  override readonly name = 'RunFault';
  readonly run: RunId;

  constructor(run: RunId, cause: unknown) {
    super(`The engine failed on run ${run}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.run = run;
  }
}

/** Does something about one run. Throws a RunFault instead of whatever that throws. */
export function faultOf<Result>(run: RunId, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw error instanceof RunFault ? error : new RunFault(run, error);
  }
}
