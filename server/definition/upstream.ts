import type { PipelineGraph } from '../domain/pipeline-graph.ts';
import { MAX_UPSTREAM_STEPS } from './limits.ts';

/** A task that reads the outputs of another, both as indexes. */
export interface Reading {
  readonly reader: number;
  readonly source: number;
}

/** Bits of a mask: as many sources as are looked for at once. */
const SOURCES_AT_ONCE = 31;

/**
 * Those readings whose source is not certain to have ended before the reader starts; null when to find out would take
 * too long. The graph has no cycle. Walks the tasks in order, once per 31 sources that are not needed directly.
 */
export function notUpstream<Each extends Reading>(
  graph: PipelineGraph,
  readings: readonly Each[],
): readonly Each[] | null {
  const indirect = readings.filter(({ reader, source }) => graph.needs[reader]?.includes(source) !== true);
  if (indirect.length === 0) return [];
  const place = new Int32Array(graph.needs.length);
  for (const [at, index] of graph.order.entries()) place[index] = at;
  // Neighbours share a walk, which begins at the first of them.
  const bySource = indirect.toSorted((a, b) => (place[a.source] ?? 0) - (place[b.source] ?? 0));

  const seen = new Int32Array(graph.needs.length);
  const missing: Each[] = [];
  let steps = 0;
  let next = 0;
  while (next < bySource.length) {
    const bits = new Map<number, number>();
    const first = next;
    for (; next < bySource.length; next++) {
      const source = bySource[next]?.source ?? 0;
      if (bits.has(source)) continue;
      if (bits.size === SOURCES_AT_ONCE) break;
      bits.set(source, 1 << bits.size);
    }
    const group = bySource.slice(first, next);
    const from = place[group[0]?.source ?? 0] ?? 0;
    const to = group.reduce((last, { reader }) => Math.max(last, place[reader] ?? 0), 0);
    seen.fill(0);
    for (let at = from; at <= to; at++) {
      const index = graph.order[at] ?? 0;
      const needs = graph.needs[index] ?? [];
      steps += 1 + needs.length;
      let mask = 0;
      for (const need of needs) mask |= (seen[need] ?? 0) | (bits.get(need) ?? 0);
      seen[index] = mask;
    }
    for (const reading of group) {
      if (((seen[reading.reader] ?? 0) & (bits.get(reading.source) ?? 0)) === 0) missing.push(reading);
    }
    if (steps > MAX_UPSTREAM_STEPS) return null;
  }
  return missing;
}
