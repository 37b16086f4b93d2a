import { resourceColumns } from '@gantry/plugin-kit/cluster';
import type { PendingTask, PlacementInput, Reason } from '@gantry/plugin-kit/scheduler';
import type { Config } from './index.ts';

/** A task with what it needs, by column. */
export interface Waiting {
  readonly task: PendingTask;
  readonly needs: readonly number[];
}

/** Everybody on whose behalf there is work in a call. */
export interface Tenants {
  /** Whose task it is. */
  of(task: PendingTask): Tenant;
  /**
   * Whose task is to be placed next; null when none waits any more.
   *
   * @param canGo Whether a tenant's next task can be placed at all. One that cannot is dropped, and the next one asked.
   */
  next(canGo: (tenant: Tenant, next: Waiting) => boolean): Tenant | null;
}

/** The tenants of a call, with what they hold. */
export function makeTenants({ config, now, nodes, resources, tenants, tasks }: PlacementInput<Config>): Tenants {
  const pool: Pool = {
    isPatientSince: config.patienceMs === null ? -Infinity : now - config.patienceMs,
    resources,
    columns: resourceColumns(resources),
    capacity: resources.map((_, column) => nodes.reduce((sum, { capacity }) => sum + capacity[column]!, 0)),
  };
  const byName = new Map<string, Tenant>();
  for (const { name, used } of tenants) byName.set(name, new Tenant(name, used, config, pool));
  for (const { tenant } of tasks) {
    if (!byName.has(tenant)) byName.set(tenant, new Tenant(tenant, [], config, pool));
  }
  let waiting = [...byName.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
  return {
    of: ({ tenant }) => byName.get(tenant)!,
    next(canGo) {
      let first: Tenant | null = null;
      let hasEnded = false;
      for (const tenant of waiting) {
        while (tenant.hasWaiting && !canGo(tenant, tenant.head)) tenant.take();
        if (!tenant.hasWaiting) hasEnded = true;
        else if (first === null || tenant.goesBefore(first)) first = tenant;
      }
      if (hasEnded) waiting = waiting.filter(({ hasWaiting }) => hasWaiting);
      return first;
    },
  };
}

interface Pool {
  /** Who holds nothing and waits since before then goes first. */
  readonly isPatientSince: number;
  readonly resources: readonly string[];
  /** Those that are resources. */
  readonly columns: readonly number[];
  /** Of all nodes together, by column. */
  readonly capacity: readonly number[];
}

/** One tenant: what it holds, and what of it waits. */
export class Tenant {
  readonly name: string;
  /** Its tasks in the order in which they are to be placed. */
  readonly waiting: Waiting[] = [];
  #taken = 0;
  readonly #pool: Pool;
  readonly #weight: number;
  readonly #used: number[];
  /** By column; Infinity and 0 where nothing is set. */
  readonly #limits: readonly number[];
  readonly #guarantees: readonly number[];
  /** Of its next task; null when it must be worked out. */
  #nextRank: Rank | null = null;

  constructor(name: string, used: readonly number[], config: Config, pool: Pool) {
    this.name = name;
    this.#pool = pool;
    this.#weight = own(config.weights, name) ?? 1;
    this.#used = pool.resources.map((_, column) => used[column] ?? 0);
    const limits = own(config.limits, name) ?? {};
    const guarantees = own(config.guarantees, name) ?? {};
    this.#limits = pool.resources.map((resource) => own(limits, resource) ?? Infinity);
    this.#guarantees = pool.resources.map((resource) => own(guarantees, resource) ?? 0);
  }

  get hasWaiting(): boolean {
    return this.#taken < this.waiting.length;
  }

  /** Its next task. There is one. */
  get head(): Waiting {
    return this.waiting[this.#taken]!;
  }

  /** Its next task, which then waits no more. */
  take(): Waiting {
    this.#nextRank = null;
    return this.waiting[this.#taken++]!;
  }

  /** Whether its next task goes before another tenant's; both have one. */
  goesBefore(other: Tenant): boolean {
    const mine = this.#rank;
    const theirs = other.#rank;
    return (
      mine.tier < theirs.tier ||
      (mine.tier === theirs.tier &&
        (mine.share < theirs.share || (mine.share === theirs.share && mine.readySince < theirs.readySince)))
    );
  }

  /** It holds so much more. */
  add(needs: readonly number[]): void {
    for (const column of this.#pool.columns) this.#used[column]! += needs[column]!;
    this.#nextRank = null;
  }

  /** Why it may not hold so much more; null when it may. */
  excessOf(needs: readonly number[]): Reason | null {
    for (const column of this.#pool.columns) {
      const need = needs[column]!;
      const limit = this.#limits[column]!;
      const used = this.#used[column]!;
      if (need === 0 || used + need <= limit) continue;
      const resource = this.#pool.resources[column]!;
      return {
        code: 'QUOTA',
        message: `${this.name} holds ${used} of the ${limit} ${resource} that it may; this needs ${need} more.`,
        remedy:
          need > limit
            ? `It can never run: raise limits.${this.name}.${resource} in the pool's scheduler config to ${need} or more.`
            : `It goes on when work of ${this.name} ends, or when limits.${this.name}.${resource} in the pool's scheduler config is raised.`,
      };
    }
    return null;
  }

  get #rank(): Rank {
    return (this.#nextRank ??= this.#rankOf(this.head));
  }

  #rankOf({ task: { readySince }, needs }: Waiting): Rank {
    if (this.#isGuaranteed(needs)) return { tier: 0, share: this.#shareWith(needs), readySince };
    const isImpatient = readySince < this.#pool.isPatientSince && this.#shareWith(null) === 0;
    return isImpatient ? { tier: 1, share: 0, readySince } : { tier: 2, share: this.#shareWith(needs), readySince };
  }

  /** Whether so much more takes something that is guaranteed, and no more of anything than is. */
  #isGuaranteed(needs: readonly number[]): boolean {
    let isGuaranteed = false;
    for (const column of this.#pool.columns) {
      const guaranteed = this.#guarantees[column]!;
      if (needs[column] === 0 || guaranteed === 0) continue;
      if (this.#used[column]! + needs[column]! > guaranteed) return false;
      isGuaranteed = true;
    }
    return isGuaranteed;
  }

  /** Its dominant share by its weight, if it held so much more. */
  #shareWith(needs: readonly number[] | null): number {
    let largest = 0;
    for (const column of this.#pool.columns) {
      const capacity = this.#pool.capacity[column]!;
      if (capacity > 0) largest = Math.max(largest, (this.#used[column]! + (needs?.[column] ?? 0)) / capacity);
    }
    return largest / this.#weight;
  }
}

/** When a task goes: by tier, then by the share that its tenant would have, then by how long it has waited. */
interface Rank {
  /** 0: within what is guaranteed. 1: of a tenant that holds nothing and has lost its patience. 2: all others. */
  readonly tier: 0 | 1 | 2;
  readonly share: number;
  readonly readySince: number;
}

/** What a record says of a name itself: not what every object has. */
function own<Value>(record: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
