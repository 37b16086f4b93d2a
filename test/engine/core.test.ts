import { describe, expect, it } from '@jest/globals';
import { runId } from '../../server/domain/ids.ts';
import { aDefinition, aTask } from '../support/builders.ts';
import { Scenario } from './scenario.ts';

const diamond = aDefinition([
  aTask('a'),
  aTask('b', { needs: ['a'] }),
  aTask('c', { needs: ['a'] }),
  aTask('d', { needs: ['b', 'c'] }),
]);

describe('a run', () => {
  it('releases a task only when everything it needs has succeeded', () => {
    const scenario = new Scenario();
    const run = scenario.trigger(diamond);
    expect(scenario.states(run)).toEqual({ a: 'READY', b: 'WAITING', c: 'WAITING', d: 'WAITING' });
    scenario.place();
    scenario.succeed(run, 'a');
    expect(scenario.states(run)).toEqual({ a: 'SUCCEEDED', b: 'READY', c: 'READY', d: 'WAITING' });
    scenario.place();
    scenario.succeed(run, 'b');
    expect(scenario.states(run).d).toBe('WAITING');
    scenario.succeed(run, 'c');
    expect(scenario.states(run).d).toBe('READY');
  });

  it('succeeds in the very step that ends its last task run', () => {
    const scenario = new Scenario();
    const run = scenario.trigger(aDefinition([aTask('only')]));
    scenario.place();
    const change = scenario.report(run, 'only', 'SUCCEEDED');
    expect(scenario.run(run).state).toBe('SUCCEEDED');
    expect(change.events.runs).toEqual([[run, 'work', 'SUCCEEDED', 1]]);
    expect(scenario.pool.runs.size).toBe(0);
  });

  it('fails when any task failed, not only a leaf, and hands UPSTREAM_FAILED down', () => {
    const scenario = new Scenario();
    const run = scenario.trigger(diamond);
    scenario.place();
    scenario.succeed(run, 'a');
    scenario.place();
    scenario.fail(run, 'b');
    expect(scenario.states(run)).toEqual({ a: 'SUCCEEDED', b: 'FAILED', c: 'ASSIGNED', d: 'UPSTREAM_FAILED' });
    expect(scenario.run(run).state).toBe('RUNNING');
    scenario.succeed(run, 'c');
    expect(scenario.run(run)).toMatchObject({ state: 'FAILED', failedCount: 1, reason: { code: 'TASK_FAILED' } });
  });

  it('goes on after a failure that its task declared tolerable, and succeeds', () => {
    const scenario = new Scenario();
    const run = scenario.trigger(
      aDefinition([aTask('lint', { allowFailure: true }), aTask('build', { needs: ['lint'] })]),
    );
    scenario.place();
    scenario.fail(run, 'lint');
    expect(scenario.states(run)).toEqual({ lint: 'FAILED', build: 'READY' });
    scenario.place();
    scenario.succeed(run, 'build');
    expect(scenario.run(run).state).toBe('SUCCEEDED');
  });

  it('settles a chain of ten thousand tasks that fail one after the other without running out of stack', () => {
    const tasks = Array.from({ length: 10_000 }, (_, index) =>
      aTask(`t${index}`, {
        needs: index === 0 ? [] : [`t${index - 1}`],
        allowFailure: true,
        ...(index === 0 ? {} : { forEach: '${{ params.nothing }}' }),
      }),
    );
    const scenario = new Scenario();
    const run = scenario.trigger(aDefinition(tasks));
    scenario.place();
    scenario.fail(run, 't0');
    expect(scenario.run(run).finishedCount).toBe(10_000);
  });
});

describe('a retry', () => {
  const definition = aDefinition([
    aTask('flaky', { retry: { max: 2, backoff: 'exponential', delayMs: 1_000, maxDelayMs: 60_000 } }),
  ]);

  it('waits 1 s, then 2 s, and gives up after the last', () => {
    const scenario = new Scenario();
    const run = scenario.trigger(definition);
    scenario.place();
    scenario.fail(run, 'flaky');
    expect(scenario.taskRun(run, 'flaky')).toMatchObject({ state: 'BACKOFF', dueAt: scenario.now + 1_000 });
    scenario.pass(999);
    expect(scenario.states(run).flaky).toBe('BACKOFF');
    scenario.pass(1);
    scenario.place();
    scenario.fail(run, 'flaky');
    expect(scenario.taskRun(run, 'flaky').dueAt).toBe(scenario.now + 2_000);
    scenario.pass(2_000);
    scenario.place();
    scenario.fail(run, 'flaky');
    expect(scenario.run(run).state).toBe('FAILED');
    expect(scenario.taskRun(run, 'flaky')).toMatchObject({ failures: 3, losses: 0, attempt: { number: 3 } });
  });

  it('is a new attempt; the one before goes to the history as it ended', () => {
    const scenario = new Scenario();
    const run = scenario.trigger(definition);
    scenario.place();
    scenario.fail(run, 'flaky');
    scenario.pass(1_000);
    scenario.place();
    const [superseded] = scenario.changes.flatMap((change) => change.supersededAttempts);
    expect(superseded).toMatchObject({
      ordinal: 0,
      attempt: { number: 1, state: 'FAILED', failure: { kind: 'APPLICATION' } },
    });
    expect(scenario.taskRun(run, 'flaky').attempt).toMatchObject({ number: 2, state: 'ASSIGNED' });
  });

  it('of an infrastructure failure does not spend the user’s retries, and stops after three losses', () => {
    const scenario = new Scenario();
    const run = scenario.trigger(aDefinition([aTask('work')]));
    for (let loss = 1; loss <= 3; loss++) {
      scenario.place();
      scenario.fail(run, 'work', 'INFRASTRUCTURE');
      expect(scenario.taskRun(run, 'work')).toMatchObject({ state: 'BACKOFF', failures: 0, losses: loss });
      scenario.pass(30_000);
    }
    scenario.place();
    scenario.fail(run, 'work', 'INFRASTRUCTURE');
    expect(scenario.run(run).state).toBe('FAILED');
  });
});

describe('a report', () => {
  it('of an attempt that has ended changes nothing and is kept as evidence', () => {
    const scenario = new Scenario();
    const run = scenario.trigger(
      aDefinition([aTask('work', { retry: { max: 1, backoff: 'constant', delayMs: 10, maxDelayMs: 10 } })]),
    );
    scenario.place();
    scenario.fail(run, 'work');
    const change = scenario.report(run, 'work', 'SUCCEEDED');
    expect(scenario.states(run).work).toBe('BACKOFF');
    expect(change.changedTaskRuns).toEqual([]);
    expect(change.evidence).toMatchObject([{ ordinal: 0, number: 1, node: 'n1', report: { state: 'SUCCEEDED' } }]);
  });

  it('from a node that the attempt is not on changes nothing', () => {
    const scenario = new Scenario();
    const run = scenario.trigger(aDefinition([aTask('work')]));
    scenario.place();
    scenario.report(run, 'work', 'SUCCEEDED', { node: 'n2' });
    expect(scenario.states(run).work).toBe('ASSIGNED');
  });

  it('that refuses what has run already is a failure, for which the user does not pay', () => {
    const scenario = new Scenario();
    const run = scenario.trigger(aDefinition([aTask('work')]));
    scenario.place();
    scenario.report(run, 'work', 'RUNNING');
    const failure = { kind: 'INFRASTRUCTURE' as const, reason: { code: 'NO_GPU', message: 'No GPU after all.' } };
    scenario.report(run, 'work', 'REJECTED', { failure });
    expect(scenario.taskRun(run, 'work')).toMatchObject({
      state: 'BACKOFF',
      failures: 0,
      losses: 1,
      attempt: { state: 'FAILED', failure },
    });
  });

  it('told twice has one effect', () => {
    const scenario = new Scenario();
    const run = scenario.trigger(diamond);
    scenario.place();
    scenario.succeed(run, 'a');
    const change = scenario.report(run, 'a', 'SUCCEEDED');
    expect(change.changedTaskRuns).toEqual([]);
    expect(change.evidence).toEqual([]);
  });
});

describe('a cancelled run', () => {
  it('ends what has not begun at once, asks nodes to stop the rest, and is CANCELLED when they have', () => {
    const scenario = new Scenario();
    const run = scenario.trigger(diamond);
    scenario.place();
    scenario.report(run, 'a', 'RUNNING');
    expect(scenario.command({ type: 'CANCEL_RUN', run })).toEqual({ ok: true });
    expect(scenario.states(run)).toEqual({ a: 'CANCELLING', b: 'CANCELLED', c: 'CANCELLED', d: 'CANCELLED' });
    expect(scenario.effects.at(-1)).toEqual({ type: 'STOP', node: 'n1', attempt: `${run}.0.1`, cause: 'CANCELLED' });
    scenario.report(run, 'a', 'CANCELLED', {
      failure: { kind: 'CANCELLED', reason: { code: 'CANCELLED', message: 'stopped' } },
    });
    expect(scenario.run(run).state).toBe('CANCELLED');
  });

  it('that had done all its work before the stop arrived has succeeded', () => {
    const scenario = new Scenario();
    const run = scenario.trigger(aDefinition([aTask('work')]));
    scenario.place();
    scenario.command({ type: 'CANCEL_RUN', run });
    scenario.succeed(run, 'work');
    expect(scenario.run(run).state).toBe('SUCCEEDED');
  });

  it('cannot be cancelled once it has finished', () => {
    const scenario = new Scenario();
    const run = scenario.trigger(aDefinition([aTask('work')]));
    scenario.place();
    scenario.succeed(run, 'work');
    expect(scenario.command({ type: 'CANCEL_RUN', run })).toMatchObject({ ok: false, code: 'RUN_ALREADY_FINISHED' });
  });
});

describe('a paused run', () => {
  it('starts nothing new until it is resumed', () => {
    const scenario = new Scenario();
    const run = scenario.trigger(diamond);
    scenario.place();
    scenario.command({ type: 'PAUSE_RUN', run });
    scenario.succeed(run, 'a');
    expect(scenario.states(run)).toMatchObject({ b: 'BLOCKED', c: 'BLOCKED' });
    expect(scenario.place()).toEqual([]);
    scenario.command({ type: 'RESUME_RUN', run });
    expect(scenario.place().map(({ taskKey }) => taskKey)).toEqual(['b', 'c']);
  });
});

describe('a fan-out', () => {
  const definition = aDefinition(
    [
      aTask('split'),
      aTask('count', { needs: ['split'], forEach: '${{ tasks.split.outputs.parts }}', env: { PART: '${{ item }}' } }),
      aTask('merge', { needs: ['count'], with: { counts: '${{ tasks.count.outputs }}' } }),
    ],
    { params: { corpus: { type: 'string', description: '' } } },
  );

  it('makes one task run per item and hands each its own', () => {
    const scenario = new Scenario();
    const run = scenario.trigger(definition, { corpus: 'a.txt' });
    scenario.place();
    scenario.succeed(run, 'split', { parts: ['x', 'y'] });
    const specs = scenario.place();
    expect(specs.map(({ mapIndex, env }) => [mapIndex, env])).toEqual([
      [0, { GANTRY_PARAM_CORPUS: 'a.txt', GANTRY_ITEM: 'x', GANTRY_INDEX: '0', PART: 'x' }],
      [1, { GANTRY_PARAM_CORPUS: 'a.txt', GANTRY_ITEM: 'y', GANTRY_INDEX: '1', PART: 'y' }],
    ]);
    scenario.succeed(run, 'count', { n: 1 }, 0);
    scenario.succeed(run, 'count', { n: 2 }, 1);
    expect(scenario.place()[0]?.with).toEqual({ counts: [{ n: 1 }, { n: 2 }] });
  });

  it('over an empty list is skipped, and so is what needs it', () => {
    const scenario = new Scenario();
    const run = scenario.trigger(definition, { corpus: 'a.txt' });
    scenario.place();
    scenario.succeed(run, 'split', { parts: [] });
    expect(scenario.states(run)).toEqual({ split: 'SUCCEEDED', count: 'SKIPPED', merge: 'SKIPPED' });
    expect(scenario.run(run).state).toBe('SUCCEEDED');
  });

  it('over what is no list fails with the reason', () => {
    const scenario = new Scenario();
    const run = scenario.trigger(definition, { corpus: 'a.txt' });
    scenario.place();
    scenario.succeed(run, 'split', { parts: 'x' });
    expect(scenario.run(run)).toMatchObject({ state: 'FAILED', reason: { code: 'FOR_EACH_NOT_A_LIST' } });
  });
});

describe('a lost node', () => {
  it('is doubted after 15 s, given up after 45 s, and its work is tried again', () => {
    const scenario = new Scenario();
    const run = scenario.trigger(aDefinition([aTask('work')]));
    scenario.place();
    scenario.report(run, 'work', 'RUNNING');
    const node = scenario.pool.nodes.get('n1')!;
    for (const [seconds, connection] of [
      [14, 'READY'],
      [15, 'SUSPECT'],
      [44, 'SUSPECT'],
      [45, 'LOST'],
    ] as const) {
      scenario.now = 1_000_000 + seconds * 1_000;
      // Looked at every few seconds, so that none of the silence is the engine's own.
      scenario.pool.lastAdvanceAt = scenario.now - 1_000;
      scenario.step();
      expect([seconds, node.connection]).toEqual([seconds, connection]);
    }
    expect(scenario.taskRun(run, 'work')).toMatchObject({ state: 'BACKOFF', losses: 1, attempt: { state: 'LOST' } });
    expect(node.reserved).toEqual({ slots: 0 });
  });

  it('is not blamed for a gap of the engine’s own', () => {
    const scenario = new Scenario();
    scenario.now += 600_000;
    scenario.step();
    expect(scenario.pool.nodes.get('n1')!.connection).toBe('READY');
  });
});

describe('a restarted agent', () => {
  it('gets again what it never got, and loses what it had begun and forgot', () => {
    const scenario = new Scenario();
    const run = scenario.trigger(aDefinition([aTask('begun'), aTask('unheard')]));
    scenario.place();
    scenario.report(run, 'begun', 'RUNNING');
    const { facts } = { facts: { ...scenario.pool.nodes.get('n1')! } };
    const before = scenario.effects.length;
    scenario.step({ type: 'NODE_HELLO', facts, incarnation: 2, known: [] });
    expect(scenario.states(run)).toEqual({ begun: 'BACKOFF', unheard: 'ASSIGNED' });
    expect(scenario.effects.slice(before)).toMatchObject([
      { type: 'FORGET' },
      { type: 'ASSIGN', spec: { taskKey: 'unheard' } },
    ]);
  });
});

describe('repeating a run', () => {
  it('from its failure keeps what succeeded, with its outputs', () => {
    const scenario = new Scenario();
    const first = scenario.trigger(diamond);
    scenario.place();
    scenario.succeed(first, 'a', { answer: 42 });
    scenario.place();
    scenario.succeed(first, 'b');
    scenario.fail(first, 'c');
    const original = { run: scenario.run(first), definition: diamond, taskRuns: scenario.run(first).taskRuns };
    const second = runId('second');
    const receipt = scenario.command(
      { type: 'RETRY_RUN', of: first, run: second, from: 'FAILED', tasks: [] },
      { original },
    );
    expect(receipt).toEqual({ ok: true });
    expect(scenario.states(second)).toEqual({ a: 'CACHED', b: 'CACHED', c: 'READY', d: 'WAITING' });
    expect(scenario.taskRun(second, 'a').outputs).toEqual({ answer: 42 });
    scenario.place();
    scenario.succeed(second, 'c');
    scenario.place();
    scenario.succeed(second, 'd');
    expect(scenario.run(second)).toMatchObject({ state: 'SUCCEEDED', retryOf: first });
  });
});
