import type { Clock } from '../clock.ts';
import { attemptId, parseAttemptId, taskRunId, type RunId } from '../domain/ids.ts';
import { runEventTypes } from '../domain/event.ts';
import { isTerminalRun } from '../domain/run.ts';
import { isTerminalTaskRun } from '../domain/task-run.ts';
import type { LogChunk, Store } from '../store/store.ts';
import { encodeCursor } from './cursor.ts';
import { deletionEvent, nodeEvents, progressEvent, runEvents } from './expand.ts';
import { StaleCursor, type Events, type FollowedEvent, type RunScope } from './follow.ts';
import { followLoads } from './loads.ts';
import { followNodeRecords } from './node-records.ts';
import { follow, type ListenLive } from './followed.ts';
import type { Hub } from './hub.ts';
import type { LiveProgress } from './live-progress.ts';

/** Chunks that are read from the log at a time. */
const LOG_CHUNKS = 64;
/** How often the progress of a run is told to who watches many. Milliseconds. */
const PROGRESS_MS = 1_000;
/** Another server may have appended: looked for at least this often. Milliseconds. */
const LOG_POLL_MS = 1_000;

/** Follows the event log and the logs of one store. */
export function createEvents(store: Store, hub: Hub, live: LiveProgress, clock: Clock): Events {
  return {
    followRuns: (scope, after, signal) =>
      scope.kind === 'RUN'
        ? followRun(store, hub, live, clock, scope.run, after, signal)
        : followSomeRuns(store, hub, clock, scope, after, signal),
    followNodes: (pool, after, signal) => followNodes(store, hub, pool, after, signal),
    followNodeRecords: (node, after, signal) => followNodeRecords(store, hub, clock, node, after, signal),
    followLoads: (pool, signal) => followLoads(hub, clock, pool, signal),
    followLogs: (taskRun, after, isLive, signal) => followLogs(store, hub, clock, taskRun, after, isLive, signal),
  };
}

/** Without a cursor it begins with the run as it is. Ends with the event that ended the run. */
async function* followRun(
  store: Store,
  hub: Hub,
  live: LiveProgress,
  clock: Clock,
  id: RunId,
  after: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<FollowedEvent> {
  const [found] = await store.runs.byIds([id]);
  if (!found) return;
  const { pool } = found;
  let from = after;
  if (from === undefined) {
    // The cursor is taken before the run is read: what happens in between is told again, never left out.
    const seq = await store.events.last(pool);
    const [run] = await store.runs.byIds([id]);
    if (!run) return;
    from = encodeCursor(new Map([[pool, { seq, index: Number.MAX_SAFE_INTEGER }]]));
    yield {
      type: runEventTypes[run.state],
      cursor: from,
      at: run.finishedAt ?? run.startedAt ?? run.createdAt,
      run: id,
      taskRun: null,
    };
    if (isTerminalRun(run.state)) return;
  }
  const select = (batch: Parameters<typeof runEvents>[0]) => runEvents(batch, (run) => run === id);
  const hasEnded = async () => isTerminalRun((await store.runs.byIds([id]))[0]?.state ?? 'CANCELLED');
  const listenLive: ListenLive = (tell) =>
    live.listen(id, (ordinal) => tell(progressEvent(id, ordinal), pool, clock.now()));
  for await (const { event, source } of follow(store, hub, [pool], from, select, signal, listenLive, hasEnded)) {
    yield event;
    if (source?.isRunEnd) return;
    // After a gap the end itself may have been dropped.
    if (event.type === 'RESYNC' && (await hasEnded())) return;
  }
}

async function* followSomeRuns(
  store: Store,
  hub: Hub,
  clock: Clock,
  scope: Extract<RunScope, { kind: 'RUNS' }>,
  after: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<FollowedEvent> {
  const { pipeline, pool, states } = scope;
  const wanted = (_run: string, name: string) => pipeline === undefined || name === pipeline;
  const select = function* (batch: Parameters<typeof runEvents>[0]) {
    for (const event of runEvents(batch, wanted)) {
      // Of many runs, the runs themselves: whoever wants their task runs follows one.
      if (event.ordinal !== null) continue;
      if (states === undefined || (states as readonly string[]).includes(event.state!)) yield event;
    }
  };
  const pools = pool === undefined ? null : [pool];
  // Who waits for a state is not told of what happens in between.
  const progress = states === undefined ? runProgress(hub, clock, pools, wanted) : null;
  const deletions = runDeletions(hub, clock, pools, wanted);
  const listenLive: ListenLive = (tell) => {
    const unlisten = [progress?.(tell), deletions(tell)];
    return () => unlisten.forEach((end) => end?.());
  };
  for await (const { event } of follow(store, hub, pools, after, select, signal, listenLive)) yield event;
}

/** Of runs that are deleted, that they are. */
function runDeletions(
  hub: Hub,
  clock: Clock,
  pools: readonly string[] | null,
  wanted: (run: string, pipeline: string) => boolean,
): ListenLive {
  return (tell) =>
    hub.listenToDeletions((runs) => {
      for (const { id, pipeline, pool } of runs) {
        if ((pools === null || pools.includes(pool)) && wanted(id, pipeline))
          tell(deletionEvent(id), pool, clock.now());
      }
    });
}

/** Of runs whose task runs change, that they do: each at most once a second, and the last change is never left out. */
function runProgress(
  hub: Hub,
  clock: Clock,
  pools: readonly string[] | null,
  wanted: (run: string, pipeline: string) => boolean,
): ListenLive {
  return (tell) => {
    const changed = new Map<string, string>();
    const ending = new AbortController();
    const later = async (): Promise<void> => {
      await clock.sleep(PROGRESS_MS, ending.signal);
      for (const [run, pool] of changed) tell(progressEvent(run as RunId, null), pool, clock.now());
      changed.clear();
    };
    const unlisten = hub.listen(({ pool, runs }) => {
      if (pools !== null && !pools.includes(pool)) return;
      const isFirst = changed.size === 0;
      for (const [run, pipeline, , isRunChanged] of runs) {
        // What is told of the run itself says how far it is.
        if (isRunChanged === 1) changed.delete(run);
        else if (wanted(run, pipeline)) changed.set(run, pool);
      }
      if (isFirst && changed.size > 0) later().catch(() => undefined);
    });
    return () => {
      ending.abort();
      unlisten();
    };
  };
}

async function* followNodes(
  store: Store,
  hub: Hub,
  pool: string | undefined,
  after: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<FollowedEvent> {
  for await (const { event } of follow(store, hub, pool === undefined ? null : [pool], after, nodeEvents, signal))
    yield event;
}

async function* followLogs(
  store: Store,
  hub: Hub,
  clock: Clock,
  taskRun: { readonly run: RunId; readonly ordinal: number },
  after: string | undefined,
  isLive: boolean,
  signal: AbortSignal,
): AsyncGenerator<LogChunk & { readonly cursor: string }> {
  let place = { number: 0, seq: 0 };
  if (after !== undefined) {
    const [attempt = '', seq = ''] = after.split(':');
    const id = parseAttemptId(attempt);
    if (id?.run !== taskRun.run || id.ordinal !== taskRun.ordinal || !/^\d{1,15}$/.test(seq)) {
      throw new StaleCursor('This is not a log cursor of this task run. Leave `after` out to begin at the start.');
    }
    place = { number: id.number, seq: Number(seq) };
  }
  let isFresh = true;
  let ring: (() => void) | null = null;
  const id = taskRunId(taskRun.run, taskRun.ordinal);
  const onNews = () => {
    isFresh = true;
    ring?.();
  };
  const unlistenLogs = hub.listenToLogs(id, onNews);
  const unlistenEvents = hub.listen((batch) => {
    if (batch.taskRuns.some(([run, ordinal]) => ordinal === taskRun.ordinal && batch.runs[run]?.[0] === taskRun.run))
      onNews();
  });
  signal.addEventListener('abort', onNews);
  try {
    while (!signal.aborted) {
      isFresh = false;
      // Asked before the log is read: its last chunks are stored before its end is.
      const [current] = await store.taskRuns.byIds([taskRun]);
      const hasEnded = !current || isTerminalTaskRun(current.state);
      for (;;) {
        const chunks = await store.logs.read(taskRun, place, LOG_CHUNKS);
        for (const chunk of chunks) {
          const number = parseAttemptId(chunk.attempt)!.number;
          place = { number, seq: chunk.seq };
          yield { ...chunk, cursor: `${attemptId(taskRun.run, taskRun.ordinal, number)}:${chunk.seq}` };
        }
        if (chunks.length < LOG_CHUNKS || signal.aborted) break;
      }
      if (hasEnded || !isLive) return;
      if (!isFresh) {
        const timeout = new AbortController();
        await Promise.race([
          new Promise<void>((resolve) => (ring = resolve)),
          clock.sleep(LOG_POLL_MS, timeout.signal).catch(() => undefined),
        ]);
        timeout.abort();
        ring = null;
      }
    }
  } finally {
    unlistenLogs();
    unlistenEvents();
    signal.removeEventListener('abort', onNews);
  }
}
