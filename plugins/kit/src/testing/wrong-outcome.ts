import type { Outcome } from '../runner.ts';

const CODE = /^[A-Z][A-Z0-9_]*$/;
const KINDS = ['APPLICATION', 'OOM', 'INFRASTRUCTURE', 'REJECTED'];

/** What is wrong with an outcome as such, good or bad. */
export function wrongOutcome(outcome: Outcome): string | null {
  if (typeof outcome !== 'object' || outcome === null) return `its outcome is ${String(outcome)}`;
  const { peakMemoryBytes = 0, cpuMs = 0 } = outcome.usage ?? {};
  if (!(peakMemoryBytes >= 0) || !(cpuMs >= 0)) return `it used up ${JSON.stringify(outcome.usage)}`;
  if (outcome.ok) {
    const plain = JSON.stringify(outcome.outputs);
    if (plain === undefined || !plain.startsWith('{')) return 'its outputs are no object';
    const { outputs } = outcome;
    const lost = Object.keys(outputs).find((name) => outputs[name] === undefined);
    return lost === undefined ? null : `its output ${lost} is not JSON`;
  }
  const { kind, reason } = outcome;
  if (!KINDS.includes(kind)) return `its kind of failure is ${String(kind)}`;
  if (!CODE.test(reason.code)) return `its code ${reason.code} is not in CAPITALS_AND_UNDERSCORES`;
  return reason.message.trim() === '' ? `${reason.code} has no message` : null;
}
