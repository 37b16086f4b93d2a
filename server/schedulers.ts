import { Placement } from './placement/placement.ts';
export async function makePlacement(_options: unknown): Promise<Placement> {
  return new Placement();
}
