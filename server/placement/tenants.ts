import type { TenantView } from '@gantry/plugin-kit/scheduler';
import type { ClusterModel, Needs } from './cluster-model.ts';
import type { PlacementQueue } from './queue.ts';

/** What the attempts of each tenant hold, kept up to date attempt by attempt. */
export class Tenants {
  readonly #used = new Map<string, { attempts: number; readonly amounts: number[] }>();

  add(tenant: string, { columns, amounts }: Needs): void {
    let used = this.#used.get(tenant);
    if (used === undefined) this.#used.set(tenant, (used = { attempts: 0, amounts: [] }));
    used.attempts++;
    for (let at = 0; at < columns.length; at++) {
      used.amounts[columns[at]!] = (used.amounts[columns[at]!] ?? 0) + amounts[at]!;
    }
  }

  remove(tenant: string, { columns, amounts }: Needs): void {
    const used = this.#used.get(tenant);
    if (used === undefined) return;
    for (let at = 0; at < columns.length; at++) {
      used.amounts[columns[at]!] = (used.amounts[columns[at]!] ?? 0) - amounts[at]!;
    }
    if (--used.attempts === 0) this.#used.delete(tenant);
  }

  /** Everybody who holds something or waits for it, by name. */
  views({ resources }: ClusterModel, queue: PlacementQueue): readonly TenantView[] {
    const names = new Set(this.#used.keys());
    for (const { tenant } of queue.entries()) names.add(tenant);
    return [...names].sort().map((name) => {
      const used = this.#used.get(name)?.amounts;
      return {
        name,
        // A column that is younger than an attempt has not been counted for it.
        used: resources.map((_, column) => Math.max(0, used?.[column] ?? 0)),
      };
    });
  }
}
