import { isBeyondSearch, isExpired, type KeptRun, type RetentionRules } from '../domain/retention.ts';
import type { Store } from '../store/store.ts';

/** Runs that are read at once; at first few, because mostly the oldest is young enough. */
const FIRST_PAGE = 20;
const PAGE = 400;
/** Names of pipelines that are read at once. */
const NAMES = 200;

/** All pipelines that may have runs. */
export async function* pipelinesOf({ retention }: Pick<Store, 'retention'>): AsyncGenerator<string> {
  let after = '';
  for (;;) {
    const names = await retention.pipelines(after, NAMES);
    yield* names;
    if (names.length < NAMES) return;
    after = names.at(-1)!;
  }
}

/**
 * The runs of a pipeline that are to be deleted, the oldest first, in pages; a page may be empty. It ends where neither
 * age nor number can hold of what follows.
 */
export async function* expiredRuns(
  { retention }: Pick<Store, 'retention'>,
  pipeline: string,
  pools: readonly string[],
  rules: RetentionRules,
  now: number,
): AsyncGenerator<readonly KeptRun[]> {
  const known = new Map<number, Promise<number | null>>();
  const newestBeyond = (runs: number | 'NEVER'): Promise<number | null> => {
    if (runs === 'NEVER') return Promise.resolve(null);
    let found = known.get(runs);
    if (found === undefined) known.set(runs, (found = retention.newestBeyond(pipeline, runs)));
    return found;
  };
  const ofPool = async (pool: string) => {
    const rule = rules.ruleOf(pipeline, pool);
    return { rule, beyond: await newestBeyond(rule.runs) };
  };
  const limits = new Map(await Promise.all(pools.map(async (pool) => [pool, await ofPool(pool)] as const)));
  for (let after = -1, page = FIRST_PAGE; ; page = PAGE) {
    const runs = await retention.oldestRuns(pipeline, after, page);
    const expired: KeptRun[] = [];
    for (const run of runs) {
      const { rule, beyond } = limits.get(run.pool) ?? (await ofPool(run.pool));
      if (isExpired(run, rule, beyond, now)) expired.push(run);
    }
    yield expired;
    const last = runs.at(-1);
    if (runs.length < page || last === undefined) return;
    if ([...limits.values()].every(({ rule, beyond }) => isBeyondSearch(last, rule, beyond, now))) return;
    after = last.key;
  }
}
