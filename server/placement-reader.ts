import type { PlacementReader } from './api/context.ts';
export function placementReader(..._args: unknown[]): PlacementReader {
  return { explain: () => null, status: () => null };
}
