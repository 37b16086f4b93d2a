import type { Resources } from '@gantry/plugin-kit/vocabulary';
import * as z from 'zod';
import { isResourceName, parseQuantity } from '../domain/resources.ts';

/** A node with more GPUs than this is a mistake in typing. */
const MAX_GPUS = 1_024;

/** What a node declares of each resource, as it is written: checked by its name and by what can be counted of it. */
export const nodeResources = z
  .record(z.string(), z.union([z.string(), z.number()], { error: 'must be a quantity such as 2 or 512Mi' }))
  .superRefine((written, context) => {
    for (const [name, amount] of Object.entries(written)) {
      const fault = faultOf(name, amount);
      if (fault !== null) context.addIssue({ code: 'custom', message: fault, path: [name] });
    }
  });

/** The amounts in their units, of resources that have been checked. */
export function declaredResources(written: z.output<typeof nodeResources>): Resources {
  return Object.fromEntries(
    Object.entries(written).flatMap(([name, amount]) => {
      const parsed = parseQuantity(name, amount);
      return parsed.ok ? [[name, parsed.amount]] : [];
    }),
  );
}

function faultOf(name: string, amount: string | number): string | null {
  if (!isResourceName(name)) return 'must be named with lower case letters, digits, “.”, “-” and “/”, at most 63';
  if (name === 'slots') return 'must not stand here: how many attempts run at once is nodeSlots';
  const parsed = parseQuantity(name, amount);
  if (!parsed.ok) return `must be an amount: ${parsed.reason.message} ${parsed.reason.remedy ?? ''}`.trim();
  if (name !== 'gpu') return null;
  if (parsed.amount % 1_000 !== 0) return 'must be whole GPUs';
  return parsed.amount > 1_000 * MAX_GPUS ? `must be at most ${MAX_GPUS} GPUs` : null;
}
