import type { PlacementInput } from '@gantry/plugin-kit/scheduler';

/** What GPU tasks have asked for lately, as it is remembered: kinds of tasks by what they need, and how many there were. */
export interface GpuDemand {
  /** Tasks that have waited since then or longer have been counted: one that waits for long counts once. */
  readonly until: number;
  /** Names of the columns of `needs`. */
  readonly resources: readonly string[];
  readonly kinds: readonly { readonly count: number; readonly needs: readonly number[] }[];
}

/** So many kinds are remembered: the most frequent. */
const MAX_KINDS = 100;
/** When so many tasks have been counted all counts are halved: what was long ago counts for less and less. */
const MAX_COUNTED = 8_192;

/** The demand with the new GPU tasks of a call; the same object when it has none. Null as long as there was none. */
export function withTasksOf(
  { resources, shapes, tasks }: Pick<PlacementInput, 'resources' | 'shapes' | 'tasks'>,
  gpu: number,
  memory: GpuDemand | null,
): GpuDemand | null {
  const asked = new Uint32Array(shapes.length);
  const counted = memory?.until ?? -Infinity;
  let until = counted;
  for (const { shape, readySince } of tasks) {
    if (readySince <= counted || shapes[shape]!.needs[gpu]! <= 0) continue;
    asked[shape]!++;
    until = Math.max(until, readySince);
  }
  if (until === counted) return memory;
  const columns = resources.map((name, column) => ({ name, column })).filter(({ name }) => !name.includes(' '));
  const names = columns.map(({ name }) => name);
  const counts = new Map<string, { count: number; needs: readonly number[] }>();
  const add = (count: number, needs: readonly number[]): void => {
    const key = needs.join(' ');
    const known = counts.get(key);
    if (known === undefined) counts.set(key, { count, needs });
    else known.count += count;
  };
  for (const { count, needs } of memory?.kinds ?? []) add(count, rowOf(names, memory!.resources, needs));
  asked.forEach((count, shape) => {
    if (count > 0)
      add(
        count,
        columns.map(({ column }) => shapes[shape]!.needs[column]!),
      );
  });
  let kinds = [...counts.values()].sort((one, other) => other.count - one.count).slice(0, MAX_KINDS);
  if (kinds.reduce((sum, { count }) => sum + count, 0) > MAX_COUNTED) {
    kinds = kinds.map(({ count, needs }) => ({ count: count / 2, needs })).filter(({ count }) => count >= 0.5);
  }
  return { until, resources: names, kinds };
}

/** Amounts under other names: what is not among them is 0. */
function rowOf(names: readonly string[], of: readonly string[], needs: readonly number[]): readonly number[] {
  return names.map((name) => needs[of.indexOf(name)] ?? 0);
}
