/** A rule in words: `for 30d after their end, and at most the newest 10,000 of each pipeline`. */
export function keptText(age: string, runs: string): string {
  if (age === 'never' && runs === 'never') return 'for ever';
  const newest = `the newest ${Number(runs).toLocaleString('en')} of each pipeline`;
  if (age === 'never') return newest;
  const aged = `for ${age} after their end`;
  return runs === 'never' ? aged : `${aged}, and at most ${newest}`;
}

interface Rule {
  readonly pool: string | null;
  readonly pipeline: string | null;
  readonly age: string | null;
  readonly runs: string | null;
}

/** A rule of a pool or pipeline, of which a part may be left to the server's. */
export function ruleText({ pool, pipeline, age, runs }: Rule): string {
  const parts = [
    age === null ? null : age === 'never' ? 'of any age' : `for ${age}`,
    runs === null ? null : runs === 'never' ? 'any number' : `the newest ${Number(runs).toLocaleString('en')}`,
  ].filter((part) => part !== null);
  return `${pipeline === null ? `pool ${pool ?? ''}` : `pipeline ${pipeline}`}: ${parts.join(', ')}`;
}

/** `1 run`, `12 runs`. */
export function countText(count: number, what: string): string {
  return `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`;
}
