import type { Effect } from '../domain/effect.ts';
import { parseAttemptId, taskRunId } from '../domain/ids.ts';
import type { Input } from '../domain/input.ts';
import type { Inbox } from '../engine/inbox.ts';
import type { Hub } from '../events/hub.ts';
import type { LiveProgress } from '../events/live-progress.ts';
import type { NodeGateway, ProtocolTimers } from '../protocol/gateway.ts';
import type { Store } from '../store/store.ts';
import { NodeSession } from './session.ts';

/** What dispatch knows of a pool: where its engine takes things in. */
export interface DispatchPool {
  readonly inbox: Inbox;
  /** Whether its engine owns the pool now. An owner that was deposed while it stood still must answer nothing. */
  readonly isReady: boolean;
}

/** The server's end of the node protocol. */
export interface Dispatch extends NodeGateway {
  /** Committed effects, to be done now. */
  perform(pool: string, effects: readonly Effect[]): void;
  /** The pool's engine reloads: what it wanted is told anew. */
  reset(pool: string): void;
}

/** Node names are unique over all pools. */
export function createDispatch(
  store: Store,
  hub: Hub,
  live: LiveProgress,
  poolOf: (name: string) => DispatchPool | null,
  timers: ProtocolTimers,
): Dispatch {
  const sessions = new Map<string, { readonly pool: string; readonly session: NodeSession }>();

  /** Pools whose engine has told what should run; before that, nobody is told to stop anything. */
  const told = new Set<string>();

  const sessionFor = (node: string, pool: string): NodeSession => {
    const known = sessions.get(node);
    if (known?.pool === pool) return known.session;
    const session = new NodeSession();
    sessions.set(node, { pool, session });
    return session;
  };
  /** The session that a message belongs to; null for one of an agent that has been superseded or must say hello. */
  const current = (node: string, incarnation: number) => {
    const known = sessions.get(node);
    return known && known.session.incarnation === incarnation ? known : null;
  };
  const inboxOf = (pool: string): Inbox => {
    const found = poolOf(pool);
    if (!found) throw new Error(`There is no pool ${pool} on this server.`);
    return found.inbox;
  };

  /**
   * Whether the node has said hello to another server, which has given up what runs here: asked while this one does
   * not lead. A database that is away has nothing to say.
   */
  const isSuperseded = async (node: string, incarnation: number): Promise<boolean> =>
    (await store.nodes.incarnation(node).catch(() => 0)) > incarnation;

  return {
    async hello(facts, known) {
      const inbox = inboxOf(facts.pool);
      const incarnation = await store.nodes.nextIncarnation(facts.name);
      // Only when the engine has settled what became of the earlier agent's attempts may the new one be told what to do.
      await inbox.settled([{ type: 'NODE_HELLO', facts, incarnation, known }]);
      sessionFor(facts.name, facts.pool).incarnation = incarnation;
      return { incarnation, timers };
    },

    async sync({ node, incarnation, seq, known, facts }) {
      const found = sessions.get(node);
      const nothing = { seq, assign: [], stop: [], forget: [] };
      if (!found || found.session.incarnation < incarnation) return { status: 'UNKNOWN', ...nothing };
      if (found.session.incarnation > incarnation) return { status: 'SUPERSEDED', ...nothing };
      const inputs: Input[] = [{ type: 'NODE_HEARD', node, incarnation, ...(facts ? { facts } : {}) }];
      for (const report of known)
        if (report.state !== 'ASSIGNED') inputs.push({ type: 'REPORT', node, incarnation, report });
      await inboxOf(found.pool).offer(inputs);
      if (!told.has(found.pool) || !poolOf(found.pool)?.isReady) {
        return { status: (await isSuperseded(node, incarnation)) ? 'SUPERSEDED' : 'OK', ...nothing };
      }
      return found.session.answer(seq, known);
    },

    async report(node, incarnation, reports) {
      const found = current(node, incarnation);
      if (!found) return;
      await inboxOf(found.pool).offer(reports.map((report) => ({ type: 'REPORT', node, incarnation, report })));
    },

    async log(node, incarnation, chunks) {
      const found = current(node, incarnation);
      if (!found) return;
      const own = chunks.filter(({ attempt }) => found.session.hasAttempt(attempt));
      if (own.length === 0) return;
      await store.logs.append(own);
      const taskRuns = new Set(
        own.map(({ attempt }) => {
          const id = parseAttemptId(attempt)!;
          return taskRunId(id.run, id.ordinal);
        }),
      );
      hub.logsAppended(taskRuns);
    },

    progress(node, incarnation, progress) {
      const session = current(node, incarnation)?.session;
      for (const each of progress) if (session?.hasAttempt(each.attempt)) live.tell(each.attempt, each.progress);
      return Promise.resolve();
    },

    async saveState(node, incarnation, saved) {
      const session = current(node, incarnation)?.session;
      // Of an attempt that has been given up: a later one may have begun with what was there.
      if (session?.hasAttempt(saved.attempt)) await store.states.save(saved);
    },

    async previousState(node, incarnation, attempt) {
      const session = current(node, incarnation)?.session;
      // It says hello again, and asks again.
      if (!session?.hasAttempt(attempt)) throw new Error(`The attempt ${attempt} is not assigned to node ${node}.`);
      return store.states.before(attempt);
    },

    listen(node, incarnation, listener) {
      const found = current(node, incarnation);
      if (!found) return () => undefined;
      return found.session.listen(listener);
    },

    async goodbye() {
      // Its silence will be noticed; what it still runs it will report when it comes back.
    },

    perform(pool, effects) {
      const isNews = !told.has(pool);
      told.add(pool);
      for (const [name, list] of byNode(effects)) sessionFor(name, pool).perform(list);
      if (live.size > 0) for (const effect of effects) if (effect.type === 'FORGET') live.forget(effect.attempt);
      // What agents reported while the engine was away was dropped.
      if (isNews)
        for (const { pool: of, session } of sessions.values()) if (of === pool) session.hint({ type: 'SYNC_NOW' });
    },

    reset(pool) {
      told.delete(pool);
      for (const { pool: of, session } of sessions.values()) {
        if (of !== pool) continue;
        for (const attempt of session.attempts()) live.forget(attempt);
        session.reset();
      }
    },
  };
}

/** The effects of each node, in their order. They come in long stretches of the same one, and often there is but one. */
function byNode(effects: readonly Effect[]): ReadonlyMap<string, readonly Effect[]> {
  const [first] = effects;
  if (first === undefined) return new Map();
  if (effects.every(({ node }) => node === first.node)) return new Map([[first.node, effects]]);
  const found = new Map<string, Effect[]>();
  let node = '';
  let own: Effect[] = [];
  for (const effect of effects) {
    if (effect.node !== node) {
      node = effect.node;
      own = found.get(node) ?? [];
      found.set(node, own);
    }
    own.push(effect);
  }
  return found;
}
