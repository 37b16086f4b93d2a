/**
 * Who may import whom: the one table. `scripts/oxlint-plugin.ts` enforces it in `npm run lint`.
 *
 * A key is a folder or file, with `*` for any one name; the longest key that matches owns a file. A row names what its
 * files may import besides each other. Naming a folder does not open what has a row of its own below it:
 * `server/placement` does not include `server/placement/scheduler-host.ts`. What no row may name is tests.
 */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'plugins/kit': [],
  // Entry points that need Node's types, kept apart so that schedulers stay without them.
  'plugins/kit/src/runner.ts': ['plugins/kit'],
  'plugins/kit/src/stdio.ts': ['plugins/kit', 'plugins/kit/src/runner.ts'],
  'plugins/kit/src/testing': ['plugins/kit', 'plugins/kit/src/runner.ts', 'plugins/kit/src/stdio.ts'],
  'plugins/scheduler-*': [
    '@gantry/plugin-kit/vocabulary',
    '@gantry/plugin-kit/config',
    '@gantry/plugin-kit/scheduler',
    '@gantry/plugin-kit/greedy',
    '@gantry/plugin-kit/best-nodes',
    '@gantry/plugin-kit/scores',
    '@gantry/plugin-kit/chance',
    '@gantry/plugin-kit/cluster',
    '@gantry/plugin-kit/gpus',
    '@gantry/plugin-kit/reservations',
    '@gantry/plugin-kit/reserve-settings',
    '@gantry/plugin-kit/room-without',
  ],
  'plugins/runner-*': ['@gantry/plugin-kit'],

  'server/domain': [],
  'server/definition': ['server/domain'],
  'server/engine/core': ['server/domain'],
  'server/placement': [
    'server/domain',
    '@gantry/plugin-kit/scheduler',
    '@gantry/plugin-kit/greedy',
    '@gantry/plugin-kit/gpus',
    '@gantry/plugin-kit/reservations',
  ],
  'server/placement/scheduler-host.ts': [
    'server/domain',
    'server/placement',
    'server/plugin-host',
    '@gantry/plugin-kit/scheduler',
    '@gantry/plugin-kit/greedy',
  ],
  'server/simulation': ['server/domain', 'server/engine/core', 'server/placement'],
  'server/protocol': ['server/domain'],
  'server/store': ['server/domain'],
  'server/events': ['server/domain', 'server/store'],
  'server/commands': ['server/domain', 'server/store', 'server/events'],
  'server/plugin-host': ['server/domain', '@gantry/plugin-kit'],
  'server/auth': ['server/domain', 'server/store'],
  'server/engine': [
    'server/domain',
    'server/engine/core',
    'server/placement',
    'server/placement/scheduler-host.ts',
    'server/store',
  ],
  'server/retention': ['server/domain', 'server/store', 'server/events'],
  'server/dispatch': ['server/domain', 'server/protocol', 'server/engine/inbox.ts', 'server/store', 'server/events'],
  'server/agent': ['server/domain', 'server/protocol', 'server/plugin-host', '@gantry/plugin-kit'],
  'server/api': [
    'server/domain',
    'server/definition',
    'server/store',
    'server/commands',
    'server/events',
    'server/placement/explain.ts',
    'server/placement/rerun.ts',
    'server/placement/scheduler.ts',
    'server/placement/shadow.ts',
    'server/placement/what-if.ts',
    'server/placement/queue.ts',
    'server/placement/queue-inspection.ts',
    'server/placement/queue-page.ts',
    'server/placement/shape.ts',
    'server/simulation',
    'server/protocol',
    'server/plugin-host',
    'server/auth',
  ],
  'server/config': ['server/domain', '@gantry/plugin-kit/text'],
  'server/folder-match.ts': ['server/domain', 'server/store', 'server/agent'],
  // What is done to a data folder and its database without a server.
  'server/maintenance': [
    'server/config',
    'server/store',
    'server/auth',
    'server/agent',
    'server/data-folder.ts',
    'server/folder-match.ts',
  ],
  'server/cli': ['server/config', 'server/domain/written-number.ts', '@gantry/plugin-kit/text'],
  // The composition root, in four files: whole, wired, and what is made per pool.
  'server/main.ts': ['server', 'plugins'],
  'server/assemble.ts': ['server', 'plugins'],
  'server/schedulers.ts': ['server', 'plugins'],
  'server/placement-reader.ts': ['server', 'plugins'],
  'server/pool-history.ts': ['server', 'plugins'],
  'server/decision-reader.ts': ['server', 'plugins'],
  'server/simulated-placement.ts': ['server', 'plugins'],
  'server/replay.ts': ['server', 'plugins'],
  'server/replay-thread.ts': ['server', 'plugins'],
  'server/replay-worker.ts': ['server', 'plugins'],
  'server/built-in-plugins.ts': [],
  'server/log.ts': [],
  'server/clock.ts': [],
  'server/lifecycle.ts': [],
  'server/file-lock.ts': [],
  'server/disk-space.ts': [],
  'server/storage-guard.ts': [],
  'server/data-folder.ts': ['server/file-lock.ts'],

  // The web UI knows the API's schema and how JSON is read, and nothing else of ours.
  web: ['@gantry/plugin-kit/exact-json'],
};

/** What a row may import only with `await import(…)`: a client command must not start by loading the server. */
export const MAY_IMPORT_LAZILY: Readonly<Record<string, readonly string[]>> = {
  'server/cli': [
    'server/main.ts',
    'server/data-folder.ts',
    'server/agent/main.ts',
    'server/replay.ts',
    'server/maintenance',
  ],
};

/** The words that the kit shares with the domain, how text is cut and JSON read: open to everything under server/. */
export const SHARED_WORDS: readonly string[] = [
  '@gantry/plugin-kit/vocabulary',
  '@gantry/plugin-kit/beginning',
  '@gantry/plugin-kit/exact-json',
];

/** Time, life cycle, the log and locks: open to everything under server/ that is not pure. */
export const SHARED_BY_IMPURE: readonly string[] = [
  'server/clock.ts',
  'server/lifecycle.ts',
  'server/log.ts',
  'server/file-lock.ts',
  'server/disk-space.ts',
];

/** What is handed time, randomness and ids, and does no I/O. tsconfig.pure.json checks the same files. */
export const PURE: readonly string[] = [
  'server/domain',
  'server/definition',
  'server/engine/core',
  'server/simulation',
  'server/placement',
  'plugins/kit/src/vocabulary.ts',
  'plugins/kit/src/beginning.ts',
  'plugins/kit/src/exact-json.ts',
  'plugins/kit/src/scheduler.ts',
  'plugins/kit/src/cluster.ts',
  'plugins/kit/src/greedy.ts',
  'plugins/kit/src/best-nodes.ts',
  'plugins/kit/src/scores.ts',
  'plugins/kit/src/chance.ts',
  'plugins/scheduler-*/src',
];

/** Impure files inside pure folders. */
export const IMPURE: readonly string[] = ['server/placement/scheduler-host.ts'];

/** Whether `path` is `key` or lies below it. Both are relative to the repository, with `/`. */
function isWithin(path: string, key: string): boolean {
  const names = path.split('/');
  return key.split('/').every((pattern, at) => {
    const name = names[at];
    if (name === undefined) return false;
    return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
  });
}

/** The row that owns a file. */
export function rowOf(path: string): string | undefined {
  return Object.keys(MAY_IMPORT)
    .filter((key) => isWithin(path, key))
    .sort((a, b) => b.length - a.length)[0];
}

export function isPure(path: string): boolean {
  return PURE.some((key) => isWithin(path, key)) && !IMPURE.some((key) => isWithin(path, key));
}

/** Whether naming `allowed` in a row opens `target`. */
function opens(allowed: string, target: string): boolean {
  if (!isWithin(target, allowed)) return false;
  const owner = rowOf(target);
  // A row of its own below `allowed` must be named itself.
  return owner === undefined || owner === allowed || isWithin(allowed, owner);
}

/** Whether a file is subject to the table at all: tests, scripts, benches and docs may import anything. */
function isGoverned(path: string): boolean {
  if (isWithin(path, 'plugins')) return path.split('/')[2] !== 'test';
  return isWithin(path, 'server') || isWithin(path, 'web');
}

/**
 * Why `from` must not import `target`, as a sentence that says what to do; undefined when it may. `target` is a path
 * from the repository's root, or the name of one of our packages; `lazy` means `await import(…)`.
 */
export function refusal(from: string, target: string, lazy: boolean): string | undefined {
  if (!isGoverned(from)) return undefined;
  const row = rowOf(from);
  if (row === undefined) return `${from} has no row in scripts/architecture.ts: add one that says what it may import.`;
  const isRoot = MAY_IMPORT[row]?.includes('server') ?? false;
  if ((isRoot && target !== 'server/main.ts') || rowOf(target) === row) return undefined;
  const inServer = isWithin(from, 'server');
  const may = [
    ...(MAY_IMPORT[row] ?? []),
    ...(inServer ? SHARED_WORDS : []),
    ...(inServer && !isPure(from) ? SHARED_BY_IMPURE : []),
  ];
  const lazily = MAY_IMPORT_LAZILY[row] ?? [];
  if ([...may, ...(lazy ? lazily : [])].some((allowed) => opens(allowed, target))) return undefined;
  if (lazily.some((allowed) => opens(allowed, target))) {
    return `${row} may load ${target} only when it is needed: use await import('…').`;
  }
  return (
    `${row} must not import ${target}; it may import ${may.join(', ') || 'nothing of ours'}. ` +
    `Move what both need into a folder they share, or let server/main.ts hand it in (scripts/architecture.ts has the table).`
  );
}
