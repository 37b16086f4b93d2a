import type { PreparedCommand, Receipt } from '../../domain/command.ts';
import type { RunId } from '../../domain/ids.ts';
import { admitRun } from './admit-run.ts';
import { cancelRun } from './cancel-run.ts';
import { pauseRun, resumeRun } from './pause-run.ts';
import type { EngineRun, PoolState } from './pool-state.ts';
import { repeatRun } from './repeat-run.ts';
import type { Step } from './step.ts';
import { setEligibility } from './set-eligibility.ts';

const OBEYED: Receipt = { ok: true };

/** Does what a command asks, or refuses it; either way its receipt is part of the step. */
export function obeyCommand(pool: PoolState, step: Step, prepared: PreparedCommand): void {
  const { command, id } = prepared;
  switch (command.type) {
    case 'TRIGGER_RUN':
      step.receipt(id, admitRun(pool, step, prepared, command), command.run);
      break;
    case 'RETRY_RUN':
      step.receipt(id, repeatRun(pool, step, prepared, command), command.run);
      break;
    case 'CANCEL_RUN':
      step.receipt(
        id,
        withRun(pool, command.run, (run) => cancelRun(pool, step, run, command.message, prepared.actor)),
      );
      break;
    case 'PAUSE_RUN':
      step.receipt(
        id,
        withRun(pool, command.run, (run) => pauseRun(step, run)),
      );
      break;
    case 'RESUME_RUN':
      step.receipt(
        id,
        withRun(pool, command.run, (run) => resumeRun(pool, step, run)),
      );
      break;
    case 'CORDON_NODE':
      step.receipt(id, setEligibility(pool, step, command, 'CORDONED', prepared.actor));
      break;
    case 'UNCORDON_NODE':
      step.receipt(id, setEligibility(pool, step, command, 'ELIGIBLE', prepared.actor));
      break;
    case 'UPDATE_POOL':
      if (command.update !== null) step.poolUpdated(command.update);
      if (command.idempotent !== undefined) {
        pool.idempotent = command.idempotent;
        step.poolIdempotent(command.idempotent);
      }
      step.receipt(id, OBEYED);
      break;
    default:
      command satisfies never;
  }
}

/** The API has checked that the run exists; one that the engine does not hold has therefore ended. */
function withRun(pool: PoolState, id: RunId, act: (run: EngineRun) => void): Receipt {
  const run = pool.runs.get(id);
  if (!run) return { ok: false, code: 'RUN_ALREADY_FINISHED', message: `Run ${id} has already finished.` };
  act(run);
  return OBEYED;
}
