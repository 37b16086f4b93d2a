import { describe, expect, it } from '@jest/globals';
import { runId, type RunId } from '../../server/domain/ids.ts';
import type { PipelineDefinition } from '../../server/domain/pipeline.ts';
import type { Task } from '../../server/domain/task.ts';
import { aDefinition, aTask } from '../support/builders.ts';
import { Scenario } from './scenario.ts';

const SIX = ['a', 'b', 'c', 'd', 'e', 'f'];

function fanOf(task: Partial<Task> = {}): PipelineDefinition {
  return aDefinition([
    aTask('split'),
    aTask('work', { needs: ['split'], forEach: '${{ tasks.split.outputs.parts }}', ...task }),
    aTask('merge', { needs: ['work'] }),
  ]);
}

function fail(scenario: Scenario, run: RunId, key: string, mapIndex: number): void {
  const failure = { kind: 'APPLICATION', reason: { code: 'EXIT_CODE', message: 'exited with code 1' } } as const;
  scenario.report(run, key, 'FAILED', { mapIndex, failure });
}

function repeat(
  scenario: Scenario,
  of: RunId,
  definition: PipelineDefinition,
  tasks: readonly string[] = [],
  name = `${of}-again`,
): RunId {
  const run = runId(name);
  const original = { run: scenario.run(of), definition, taskRuns: [...scenario.run(of).taskRuns] };
  const from = tasks.length > 0 ? 'TASKS' : 'FAILED';
  expect(scenario.command({ type: 'RETRY_RUN', of, run, from, tasks }, { original })).toEqual({ ok: true });
  return run;
}

/** Six instances, of which those at `failing` fail. */
function ranWith(definition: PipelineDefinition, failing: readonly number[]) {
  const scenario = new Scenario();
  const run = scenario.trigger(definition);
  scenario.place();
  scenario.succeed(run, 'split', { parts: SIX });
  scenario.place();
  SIX.forEach((item, index) => {
    if (failing.includes(index)) fail(scenario, run, 'work', index);
    else scenario.succeed(run, 'work', { item }, index);
  });
  return { scenario, run };
}

describe('repeating a fan-out of six of which one failed', () => {
  it('runs that one again, with its item, and takes the five others over by their place', () => {
    const definition = fanOf();
    const { scenario, run } = ranWith(definition, [2]);
    const again = repeat(scenario, run, definition);
    expect(scenario.states(again)).toEqual({
      split: 'CACHED',
      'work[0]': 'CACHED',
      'work[1]': 'CACHED',
      'work[2]': 'READY',
      'work[3]': 'CACHED',
      'work[4]': 'CACHED',
      'work[5]': 'CACHED',
      merge: 'WAITING',
    });
    const [spec, ...others] = scenario.place();
    expect(others).toEqual([]);
    expect(spec).toMatchObject({ taskKey: 'work', mapIndex: 2, env: { GANTRY_ITEM: 'c' } });
    scenario.succeed(again, 'work', { item: 'c' }, 2);
    const [merge] = scenario.place();
    expect(merge!.inputs).toMatchObject({ tasks: { work: { outputs: SIX.map((item) => ({ item })) } } });
    scenario.succeed(again, 'merge');
    expect(scenario.run(again)).toMatchObject({ state: 'SUCCEEDED', finishedCount: 8, failedCount: 0 });
  });

  it('and failed once more runs that one again, once more', () => {
    const definition = fanOf();
    const { scenario, run } = ranWith(definition, [0]);
    const again = repeat(scenario, run, definition);
    scenario.place();
    fail(scenario, again, 'work', 0);
    expect(scenario.run(again)).toMatchObject({ state: 'FAILED', failedCount: 1 });
    const third = repeat(scenario, again, definition);
    expect(scenario.place().map(({ mapIndex }) => mapIndex)).toEqual([0]);
    scenario.succeed(third, 'work', { item: 'a' }, 0);
    scenario.place();
    scenario.succeed(third, 'merge');
    expect(scenario.run(third).state).toBe('SUCCEEDED');
  });

  it('runs all of a gang again, whose instances need each other', () => {
    const gang = { timeoutMs: null };
    const placement = { require: [], prefer: [], perNode: null, exclusive: false, spread: null, near: null, gang };
    const definition = fanOf({ placement });
    const { scenario, run } = ranWith(definition, [2]);
    repeat(scenario, run, definition);
    expect(scenario.place().filter(({ taskKey }) => taskKey === 'work')).toHaveLength(6);
  });

  it('runs all of it again when the task is named', () => {
    const definition = fanOf();
    const { scenario, run } = ranWith(definition, [2]);
    const again = repeat(scenario, run, definition, ['work']);
    expect(scenario.states(again)).toMatchObject({ split: 'CACHED', merge: 'WAITING', 'work[5]': 'READY' });
    expect(scenario.place()).toHaveLength(6);
  });

  it('waits while the run is paused, and is whole after a cancel in the middle', () => {
    const definition = fanOf();
    const { scenario, run } = ranWith(definition, [1, 2]);
    const again = repeat(scenario, run, definition);
    scenario.command({ type: 'CANCEL_RUN', run: again });
    expect(scenario.run(again).state).toBe('CANCELLED');
    const third = repeat(scenario, again, definition);
    expect(scenario.place().map(({ mapIndex }) => mapIndex)).toEqual([1, 2]);
    scenario.succeed(third, 'work', {}, 1);
    scenario.succeed(third, 'work', {}, 2);
    scenario.place();
    scenario.succeed(third, 'merge');
    expect(scenario.run(third).state).toBe('SUCCEEDED');
  });
});

describe('repeating a run with a tolerated failure', () => {
  const definition = aDefinition([
    aTask('lint', { allowFailure: true }),
    aTask('report', { needs: ['lint'] }),
    aTask('build'),
  ]);

  function failed() {
    const scenario = new Scenario();
    const run = scenario.trigger(definition);
    scenario.place();
    scenario.fail(run, 'lint');
    scenario.place();
    scenario.succeed(run, 'report', { pages: 3 });
    scenario.fail(run, 'build');
    return { scenario, run };
  }

  it('leaves it and what succeeded after it as they are', () => {
    const { scenario, run } = failed();
    const again = repeat(scenario, run, definition);
    expect(scenario.states(again)).toEqual({ lint: 'FAILED', report: 'CACHED', build: 'READY' });
    expect(scenario.taskRun(again, 'report').outputs).toEqual({ pages: 3 });
    expect(scenario.reasonOf(again, 'lint')).toMatchObject({
      code: 'FAILURE_TAKEN_OVER',
      message: expect.stringContaining('It had failed so: exited with code 1'),
    });
    scenario.place();
    scenario.succeed(again, 'build');
    expect(scenario.run(again)).toMatchObject({ state: 'SUCCEEDED', failedCount: 0, finishedCount: 3 });
  });

  it('does it again, and what comes after it, when it is named', () => {
    const { scenario, run } = failed();
    const again = repeat(scenario, run, definition, ['lint']);
    expect(scenario.states(again)).toEqual({ lint: 'READY', report: 'WAITING', build: 'READY' });
  });

  it('keeps one tolerated failure among the instances of a fan-out', () => {
    const tolerant = aDefinition([...fanOf({ allowFailure: true }).tasks, aTask('publish')]);
    const { scenario, run } = ranWith(tolerant, [4]);
    scenario.place();
    scenario.succeed(run, 'merge');
    scenario.fail(run, 'publish');
    const again = repeat(scenario, run, tolerant);
    expect(scenario.states(again)).toMatchObject({ 'work[4]': 'FAILED', 'work[5]': 'CACHED', merge: 'CACHED' });
    expect(scenario.place().map(({ taskKey }) => taskKey)).toEqual(['publish']);
  });
});

describe('repeating a run', () => {
  it('runs what was not run because of the failure, and skips again what was skipped', () => {
    const definition = aDefinition([
      aTask('list'),
      aTask('each', { needs: ['list'], forEach: '${{ tasks.list.outputs.items }}' }),
      aTask('after', { needs: ['each'] }),
      aTask('flaky'),
      aTask('last', { needs: ['flaky'] }),
    ]);
    const scenario = new Scenario();
    const run = scenario.trigger(definition);
    scenario.place();
    scenario.succeed(run, 'list', { items: [] });
    scenario.fail(run, 'flaky');
    const again = repeat(scenario, run, definition);
    const states = { list: 'CACHED', each: 'SKIPPED', after: 'SKIPPED', flaky: 'READY', last: 'WAITING' };
    expect(scenario.states(again)).toEqual(states);
    scenario.place();
    scenario.succeed(again, 'flaky');
    scenario.place();
    scenario.succeed(again, 'last');
    expect(scenario.run(again).state).toBe('SUCCEEDED');
  });
});
