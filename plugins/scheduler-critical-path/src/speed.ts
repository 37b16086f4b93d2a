import type { NodeView } from '@gantry/plugin-kit/scheduler';

/** How fast a node is; 1 when its label says nothing that makes sense. */
export function speedOf({ labels }: NodeView, speedLabel: string | null): number {
  const speed = speedLabel !== null && Object.hasOwn(labels, speedLabel) ? Number(labels[speedLabel]) : 1;
  return speed > 0 && Number.isFinite(speed) ? speed : 1;
}
