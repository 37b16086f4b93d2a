import { BestNodes, namedFor, type NodeScore } from '@gantry/plugin-kit/best-nodes';
import { resourceColumns } from '@gantry/plugin-kit/cluster';
import { inOrder } from '@gantry/plugin-kit/greedy';
import { Reservations } from '@gantry/plugin-kit/reservations';
import type {
  Decision,
  Json,
  PlacementInput,
  PlacementOutput,
  ReservePolicy,
  Shape,
} from '@gantry/plugin-kit/scheduler';

/**
 * Places each task in the domain that is least loaded once it is there, and there on the node that scores best. A domain
 * is the nodes that share a value of `label`; those without it make one, too. One that has no room is passed over.
 */
export function placeOverDomains<Memory extends Json>(
  input: PlacementInput<unknown, Memory>,
  label: string,
  score: NodeScore,
  reserve: ReservePolicy | null,
): PlacementOutput<Memory> {
  const { nodes, resources, shapes, tasks, memory } = input;
  const domainOf = new Map<string | undefined, number>();
  const values = [...new Set(nodes.map(({ labels }) => valueOf(labels, label)))].sort((one, other) =>
    (one ?? '') < (other ?? '') ? -1 : 1,
  );
  values.forEach((value, domain) => domainOf.set(value, domain));
  const ofNode = Int32Array.from(nodes, ({ labels }) => domainOf.get(valueOf(labels, label))!);
  const loads = new DomainLoads({ nodes, resources }, ofNode, values.length);
  const choices = new BestNodes({
    nodes,
    resources,
    shapes: shapes.flatMap((shape) => partsOf(shape, ofNode, values.length)),
    score,
  });
  // What is held is held for all domains.
  const { cluster } = choices;
  const hold = (shape: number, node: number): void => choices.hold(shape * values.length, node);
  const reservations = new Reservations(input, { cluster, hold }, reserve);
  const decisions: Decision[] = [];
  for (const task of inOrder(tasks)) {
    const { needs } = shapes[task.shape]!;
    const passed = new Set<number>();
    for (;;) {
      const domain = loads.leastLoaded(needs, passed);
      if (domain < 0) {
        reservations.passOver(task);
        break;
      }
      const part = task.shape * values.length + domain;
      const node = choices.best(part);
      if (node < 0) {
        passed.add(domain);
        continue;
      }
      decisions.push(choices.place({ ...task, shape: part }, node, namedFor(task.key, input)));
      loads.take(domain, needs);
      break;
    }
  }
  return { decisions, memory, ...reservations.output };
}

/** A label's value that is the node's own: not what every object has. */
function valueOf(labels: Readonly<Record<string, string>>, label: string): string | undefined {
  return Object.hasOwn(labels, label) ? labels[label] : undefined;
}

/** A shape for each domain: the same needs, of its nodes those of the domain. */
function partsOf(shape: Shape, domainOf: Int32Array, domainCount: number): readonly Shape[] {
  const feasible: number[][] = Array.from({ length: domainCount }, () => []);
  for (const node of shape.feasible) feasible[domainOf[node]!]!.push(node);
  return feasible.map((nodes) => ({ ...shape, feasible: nodes }));
}

/** What the nodes of each domain have and have given away, together. */
class DomainLoads {
  readonly #columns: readonly number[];
  readonly #capacity: readonly Float64Array[];
  readonly #free: readonly Float64Array[];

  constructor(
    { nodes, resources }: Pick<PlacementInput, 'nodes' | 'resources'>,
    domainOf: Int32Array,
    domainCount: number,
  ) {
    this.#columns = resourceColumns(resources);
    this.#capacity = resources.map(() => new Float64Array(domainCount));
    this.#free = resources.map(() => new Float64Array(domainCount));
    nodes.forEach(({ capacity, free }, node) => {
      for (const column of this.#columns) {
        this.#capacity[column]![domainOf[node]!]! += capacity[column]!;
        this.#free[column]![domainOf[node]!]! += free[column]!;
      }
    });
  }

  /** The domain whose dominant share taken would be the lowest; −1 when all have been passed over. */
  leastLoaded(needs: readonly number[], passed: ReadonlySet<number>): number {
    let least = -1;
    let lowest = Infinity;
    const domainCount = this.#capacity[0]?.length ?? 0;
    for (let domain = 0; domain < domainCount; domain++) {
      if (passed.has(domain)) continue;
      const load = this.#loadOf(domain, needs);
      if (least >= 0 && load >= lowest) continue;
      least = domain;
      lowest = load;
    }
    return least;
  }

  take(domain: number, needs: readonly number[]): void {
    for (const column of this.#columns) this.#free[column]![domain]! -= needs[column]!;
  }

  #loadOf(domain: number, needs: readonly number[]): number {
    let highest = 0;
    for (const column of this.#columns) {
      const capacity = this.#capacity[column]![domain]!;
      if (capacity === 0) continue;
      highest = Math.max(highest, 1 - (this.#free[column]![domain]! - needs[column]!) / capacity);
    }
    return highest;
  }
}
