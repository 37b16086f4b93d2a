import type { Receipt } from '../../domain/command.ts';
import type { PoolState } from './pool-state.ts';
import type { Step } from './step.ts';

/** Lets new work go to a node, or keeps it away; what runs there runs on. Said again, it is kept only if it says why. */
export function setEligibility(
  pool: PoolState,
  step: Step,
  { node: name, message }: { readonly node: string; readonly message?: string },
  eligibility: 'CORDONED' | 'ELIGIBLE',
  actor: string,
): Receipt {
  const node = pool.nodes.get(name);
  if (!node) return { ok: false, code: 'NODE_NOT_FOUND', message: `There is no node ${name} in this pool.` };
  const isChange = node.eligibility !== eligibility;
  if (isChange) step.nodeEligibility(node, eligibility);
  if (isChange || message !== undefined) {
    step.nodeRecord(node, { type: eligibility === 'CORDONED' ? 'CORDONED' : 'UNCORDONED', actor, message });
  }
  return { ok: true };
}
