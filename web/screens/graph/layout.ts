/** A task as the graph knows it. */
export interface GraphTask {
  readonly key: string;
  readonly needs: readonly string[];
}

/** Where a task is drawn. Pixels. */
export interface GraphNode {
  readonly key: string;
  readonly x: number;
  readonly y: number;
}

export interface GraphLayout {
  readonly nodes: readonly GraphNode[];
  /** Pairs of indexes of `nodes`: from what is needed to what needs it. */
  readonly edges: readonly (readonly [from: number, to: number])[];
  readonly width: number;
  readonly height: number;
}

export const BOX = { width: 196, height: 50 } as const;
const GAP = { x: 64, y: 18 } as const;
/** Rounds of putting each task beside the middle of its neighbours; more change next to nothing. */
const SWEEPS = 6;

/**
 * Layers from left to right: each task stands one layer behind the last of those that it needs. Within a layer the order
 * follows the mean place of the neighbours, swept to and fro (K. Sugiyama et al., Methods for Visual Understanding of
 * Hierarchical System Structures, 1981). In time linear in tasks and needs, but for the sorting.
 */
export function layoutOf(tasks: readonly GraphTask[]): GraphLayout {
  const indexOf = new Map(tasks.map(({ key }, at) => [key, at]));
  const needs = tasks.map(({ needs: keys }) => keys.flatMap((key) => indexOf.get(key) ?? []));
  const needed: number[][] = tasks.map(() => []);
  needs.forEach((all, at) => all.forEach((need) => needed[need]!.push(at)));
  const layers = layersOf(needs, needed);
  const place = new Float64Array(tasks.length);
  const spread = (layer: readonly number[]): void =>
    layer.forEach((at, row) => (place[at] = row - (layer.length - 1) / 2));
  layers.forEach(spread);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const isForward = sweep % 2 === 0;
    for (const layer of isForward ? layers : layers.toReversed()) {
      const wish = new Map(layer.map((at) => [at, meanOf(isForward ? needs[at]! : needed[at]!, place) ?? place[at]!]));
      layer.sort((one, other) => wish.get(one)! - wish.get(other)! || one - other);
      spread(layer);
    }
  }
  const rows = Math.max(1, ...layers.map(({ length }) => length));
  const nodes: GraphNode[] = [];
  layers.forEach((layer, column) => {
    for (const at of layer) {
      const y = (place[at]! + (rows - 1) / 2) * (BOX.height + GAP.y);
      nodes[at] = { key: tasks[at]!.key, x: column * (BOX.width + GAP.x), y };
    }
  });
  return {
    nodes,
    edges: needs.flatMap((all, to) => all.map((from) => [from, to] as const)),
    width: Math.max(0, layers.length * (BOX.width + GAP.x) - GAP.x),
    height: rows * (BOX.height + GAP.y) - GAP.y,
  };
}

/** A task that is part of a circle, which no applied pipeline has, is left in the first layer. */
function layersOf(needs: readonly (readonly number[])[], needed: readonly (readonly number[])[]): number[][] {
  const layerOf = new Int32Array(needs.length);
  const left = Int32Array.from(needs, ({ length }) => length);
  const free = [...left.keys()].filter((at) => left[at] === 0);
  for (let next = 0; next < free.length; next++) {
    const at = free[next]!;
    for (const to of needed[at]!) {
      layerOf[to] = Math.max(layerOf[to]!, layerOf[at]! + 1);
      if (--left[to]! === 0) free.push(to);
    }
  }
  const layers: number[][] = [];
  layerOf.forEach((layer, at) => (layers[layer] ??= []).push(at));
  return layers;
}

function meanOf(neighbours: readonly number[], place: Float64Array): number | null {
  if (neighbours.length === 0) return null;
  let sum = 0;
  for (const at of neighbours) sum += place[at]!;
  return sum / neighbours.length;
}
