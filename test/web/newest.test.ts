import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { Latest, newest } from '../../web/client/newest.ts';
import { LiveView, type LiveSource, type LiveSurroundings } from '../../web/client/live-view.ts';
import type { Follower } from '../../web/client/follower.ts';
import type { NodeLoad, NodeTile, RunRow, RunsFeedData, RunsPageData } from '../../web/client/operations.ts';
import { runsSource, type RunList } from '../../web/screens/runs/run-list.ts';
import { withLoad, withTile, type LiveTile } from '../../web/screens/nodes/live-tile.ts';

/** Everything that has been promised has been told. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const aRun = (id: string, changes: Partial<RunRow> = {}): RunRow => ({
  id,
  revision: 1,
  pipelineName: 'p',
  versionNumber: 1,
  poolName: 'default',
  state: 'RUNNING',
  isFinished: false,
  priority: 0,
  trigger: 'MANUAL',
  createdBy: 'me',
  createdAt: `2026-01-01T00:00:00.${id.padStart(3, '0')}Z`,
  startedAt: null,
  finishedAt: null,
  reason: null,
  counts: { total: 1, finished: 0, failed: 0 },
  ...changes,
});

/** A view whose feed, pauses and drawing are in the test's hands. */
function watch<Data, Event, Variables extends object>(source: LiveSource<Data, Event, Variables>) {
  let follower: Follower<Event> | null = null;
  const surroundings = {
    follow: (_operation: unknown, _variables: unknown, _cursorOf: unknown, given: Follower<Event>) => {
      follower = given;
      return () => undefined;
    },
    schedule: (draw: () => void) => {
      queueMicrotask(draw);
      return () => undefined;
    },
    pause: (act: () => void) => {
      queueMicrotask(act);
      return () => undefined;
    },
  } as unknown as LiveSurroundings;
  const view = new LiveView(source, surroundings);
  const stop = view.start();
  return { view, stop, feed: follower as unknown as Follower<Event> };
}

describe('of two states of one object', () => {
  it('the one with the higher revision is shown, and of equal ones the later', () => {
    const old = aRun('1', { revision: 8 });
    const ended = aRun('1', { revision: 9, state: 'SUCCEEDED' });
    expect(newest(ended, old)).toBe(ended);
    expect(newest(old, ended)).toBe(ended);
    const again = { ...ended };
    expect(newest(ended, again)).toBe(again);
    expect(newest(undefined, old)).toBe(old);
  });

  it('is remembered also while it is not shown, as far as there is room', () => {
    const latest = new Latest<RunRow>(2);
    const ended = aRun('1', { revision: 9, state: 'SUCCEEDED' });
    latest.take('1', ended);
    latest.take('2', aRun('2'));
    expect(latest.take('1', aRun('1'))).toBe(ended);
    latest.take('3', aRun('3'));
    expect([latest.get('1'), latest.get('2')]).toEqual([ended, undefined]);
  });
});

/** What happens to a list of runs: at the server, on the way, and in the page. */
const happening = fc.oneof(
  { weight: 4, arbitrary: fc.record({ what: fc.constant('change' as const), run: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('create' as const) }) },
  { weight: 4, arbitrary: fc.record({ what: fc.constant('tell' as const) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('answer' as const) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('reload' as const) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('overflow' as const) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('mutate' as const), run: fc.nat(5) }) },
);
const STATES = ['QUEUED', 'RUNNING', 'PAUSED', 'RUNNING', 'SUCCEEDED'] as const;
const FIRST = 3;

/** Runs with their revisions, events that wait for the page, and pages that have been read and not answered. */
class Model {
  readonly runs: RunRow[] = [aRun('1'), aRun('2'), aRun('3'), aRun('4')];
  readonly events: RunsFeedData[] = [];
  readonly answers: (() => void)[] = [];
  #seq = 1;
  readonly #life = new Map<string, number>();

  change(at: number): RunRow | null {
    const run = this.runs[at % this.runs.length]!;
    const age = (this.#life.get(run.id) ?? 1) + 1;
    const state = STATES[age];
    if (state === undefined) return null;
    this.#life.set(run.id, age);
    const next = { ...run, revision: ++this.#seq, state, isFinished: state === 'SUCCEEDED' };
    this.runs[at % this.runs.length] = next;
    this.events.push({ runs: { type: 'run.changed', cursor: String(this.#seq), runId: next.id, run: next } });
    return next;
  }

  create(): void {
    const run = aRun(String(this.runs.length + 1), { revision: ++this.#seq });
    this.runs.push(run);
    this.events.push({ runs: { type: 'run.created', cursor: String(this.#seq), runId: run.id, run } });
  }

  /** Newest first, as far as they fit. */
  fitting(states: readonly string[]): RunRow[] {
    return this.runs.filter(({ state }) => states.includes(state)).toReversed();
  }

  /** Executed now, answered when the test says so. */
  read(states: readonly string[], first: number, after: string | null): Promise<RunsPageData['runs']> {
    const all = this.fitting(states).filter(({ createdAt }) => after === null || createdAt < after);
    const nodes = all.slice(0, first);
    const page = { nodes, pageInfo: { hasNextPage: all.length > first, endCursor: nodes.at(-1)?.createdAt ?? after } };
    return new Promise((resolve) => this.answers.push(() => resolve(page)));
  }
}

describe('a list of runs', () => {
  it('never goes back, and comes to what is true, whatever overtakes what', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 60 }), async (happenings) => {
        const states = ['QUEUED', 'RUNNING', 'PAUSED'] as const;
        const model = new Model();
        const source = runsSource({ states }, FIRST, (first, _, after) => model.read(states, first, after));
        const { view, feed, stop } = watch(source);
        const seen = new Map<string, number>();
        const look = (list: RunList | null): void => {
          for (const { id, revision, state } of list?.rows ?? []) {
            expect(revision).toBeGreaterThanOrEqual(seen.get(id) ?? 0);
            expect(states).toContain(state);
            seen.set(id, revision);
          }
        };
        view.subscribe(() => look(view.snapshot().data));
        const tell = (): void => {
          const event = model.events.shift();
          if (event) feed.event(event);
        };
        for (const each of happenings) {
          if (each.what === 'change') model.change(each.run);
          else if (each.what === 'create') model.create();
          else if (each.what === 'tell') tell();
          else if (each.what === 'answer') model.answers.shift()?.();
          else if (each.what === 'reload') view.reload();
          else if (each.what === 'overflow') {
            // What waited is dropped, and the page is told to read again.
            model.events.splice(0, model.events.length, {
              runs: { type: 'RESYNC', cursor: '', runId: null, run: null },
            });
          } else {
            const run = model.change(each.run);
            if (run)
              view.change(
                (list) => void source.apply(list, { runs: { type: 'answer', cursor: '', runId: run.id, run } }),
              );
          }
          await settled();
        }
        while (model.events.length > 0 || model.answers.length > 0) {
          tell();
          model.answers.shift()?.();
          await settled();
        }
        const { data } = view.snapshot();
        const truth = model.fitting(states);
        expect(data?.rows).toEqual(truth.slice(0, data?.rows.length));
        expect(data?.rows.length).toBeGreaterThanOrEqual(Math.min(FIRST, truth.length));
        if (data?.hasMore === false) expect(data.rows).toHaveLength(truth.length);
        stop();
      }),
      { numRuns: 400 },
    );
  });
});

const tile = (revision: number, eligibility: NodeTile['eligibility']): NodeTile => ({
  name: 'n',
  revision,
  poolName: 'default',
  connection: 'READY',
  eligibility,
  runningCount: revision,
  conditions: [],
  labels: [],
  capacity: [],
  reserved: [],
});
const loadOf = (revision: number): NodeLoad => ({ name: 'n', revision, runningCount: revision, reserved: [] });

describe('a node', () => {
  it('is as its newest state says, and holds what its newest load says, in whatever order they come', () => {
    const told = fc.array(fc.record({ isLoad: fc.boolean(), revision: fc.integer({ min: 1, max: 12 }) }), {
      minLength: 1,
    });
    const eligibility = (revision: number) => (revision % 2 === 0 ? ('CORDONED' as const) : ('ELIGIBLE' as const));
    fc.assert(
      fc.property(told, (all) => {
        let known: LiveTile = withTile(undefined, tile(0, 'ELIGIBLE'));
        for (const { isLoad, revision } of all) {
          known = isLoad ? withLoad(known, loadOf(revision)) : withTile(known, tile(revision, eligibility(revision)));
        }
        const newestTile = Math.max(0, ...all.filter(({ isLoad }) => !isLoad).map(({ revision }) => revision));
        const newestOfAll = Math.max(0, ...all.map(({ revision }) => revision));
        expect(known).toMatchObject({
          revision: newestTile,
          eligibility: eligibility(newestTile) === 'CORDONED' && newestTile > 0 ? 'CORDONED' : 'ELIGIBLE',
          runningCount: newestOfAll,
        });
      }),
    );
  });
});

describe('what has no revision', () => {
  it('is read again after a change of one’s own: what was asked before that is thrown away', async () => {
    const answers: ((value: { name: string }) => void)[] = [];
    const { view, feed } = watch<{ name: string }, object, object>({
      load: () => new Promise((resolve) => answers.push(resolve)),
      feed: { name: 'Feed', text: '' },
      variables: {},
      cursorOf: null,
      apply: () => false,
    });
    answers.shift()!({ name: 'first' });
    await settled();
    feed.event({});
    await settled();
    view.change((data) => (data.name = 'mine'));
    answers.shift()!({ name: 'older than mine' });
    await settled();
    expect(view.snapshot().data).toEqual({ name: 'mine' });
    answers.shift()!({ name: 'mine, and more' });
    await settled();
    expect(view.snapshot().data).toEqual({ name: 'mine, and more' });
  });
});
