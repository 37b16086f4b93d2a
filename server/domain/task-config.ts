import type { Json, JsonObject, Reason } from '@gantry/plugin-kit/vocabulary';
import { parseReferences, render, type SecretPlace } from './expression.ts';
import type { Task } from './task.ts';

/** What a task run is or was executed with: its task's `with` and `env` with everything filled in but secrets. */
export interface TaskConfig {
  readonly with: JsonObject;
  readonly env: JsonObject;
  /** What it has of its task's fan-out; null where the task has none. */
  readonly item: Json;
}

/** What a run knows of itself, for the expressions of its tasks. */
export interface RunFacts {
  readonly id: string;
  readonly params: Readonly<Record<string, Json>>;
  /** By task key: its outputs, or the list of those of its instances; null for none. */
  readonly outputs: ReadonlyMap<string, Json>;
}

export type RenderedConfig =
  { readonly ok: true; readonly config: TaskConfig } | { readonly ok: false; readonly reason: Reason };

/** The tasks whose outputs a task's expressions name. */
export function tasksNamedBy({ with: config, env, forEach }: Task): ReadonlySet<string> {
  const parsed = parseReferences({ with: config, env, forEach });
  if (!parsed.ok) return new Set();
  return new Set(parsed.references.flatMap(({ path }) => (path[0] === 'tasks' ? [String(path[1])] : [])));
}

/**
 * Fills in a task's expressions as it is done when an attempt of it is assigned, from the same values. A secret is not
 * known here: its name stands where it goes.
 */
export function configOf(task: Task, mapIndex: number | null, { id, params, outputs }: RunFacts): RenderedConfig {
  const tasks: Record<string, Json> = {};
  for (const [key, value] of outputs) tasks[key] = { outputs: value };
  const scope: JsonObject = { params, run: { id }, tasks };
  let item: Json = null;
  if (mapIndex !== null) {
    const items = render(task.forEach, scope);
    if (!items.ok) return items;
    item = (Array.isArray(items.value) ? (items.value as readonly Json[])[mapIndex] : undefined) ?? null;
  }
  const places: SecretPlace[] = [];
  const own = mapIndex === null ? scope : { ...scope, item, index: mapIndex };
  const rendered = render({ with: task.with, env: task.env }, own, places);
  if (!rendered.ok) return rendered;
  const value = withNames(rendered.value, places) as { readonly with: JsonObject; readonly env: JsonObject };
  return { ok: true, config: { with: value.with, env: value.env, item } };
}

/** A rendered value with `${{ secrets.NAME }}` where the secret goes. */
function withNames(value: Json, places: readonly SecretPlace[]): Json {
  if (places.length === 0) return value;
  const byString = new Map<string, SecretPlace[]>();
  for (const place of places) {
    const key = JSON.stringify(place.at);
    const list = byString.get(key);
    if (list) list.push(place);
    else byString.set(key, [place]);
  }
  return named(value, [], byString);
}

function named(
  value: Json,
  at: readonly (string | number)[],
  byString: ReadonlyMap<string, readonly SecretPlace[]>,
): Json {
  if (typeof value === 'string') {
    let text = value;
    // From the last on: what is put in moves only what is behind it.
    for (const { offset, name } of byString.get(JSON.stringify(at))?.toReversed() ?? []) {
      text = `${text.slice(0, offset)}\${{ secrets.${name} }}${text.slice(offset)}`;
    }
    return text;
  }
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((each: Json, index) => named(each, [...at, index], byString));
  return Object.fromEntries(
    Object.entries(value as JsonObject).map(([key, each]) => [key, named(each, [...at, key], byString)]),
  );
}
