import { describe, expect, it } from '@jest/globals';
import type { RunnerIdempotency } from '../../server/domain/idempotency.ts';
import type { Task } from '../../server/domain/task.ts';
import { aDefinition, aTask, someFacts } from '../support/builders.ts';
import { Scenario } from './scenario.ts';

const reason = { code: 'NO_SPACE', message: 'The disk is full.' };
const rejected = { failure: { kind: 'INFRASTRUCTURE', reason } } as const;

function triggered(task: Partial<Task> = {}, askRunner?: RunnerIdempotency) {
  const scenario = new Scenario(someFacts('n1', { capacity: { slots: 1_000 } }), askRunner);
  const run = scenario.trigger(aDefinition([aTask('work', task)]));
  scenario.place();
  return { scenario, run };
}

describe('an attempt that never started', () => {
  it('costs nothing, however often, and is tried again after at most 30 s', () => {
    const { scenario, run } = triggered();
    const delays: number[] = [];
    for (let number = 1; number <= 40; number++) {
      scenario.report(run, 'work', 'REJECTED', rejected);
      expect(scenario.taskRun(run, 'work')).toMatchObject({ state: 'BACKOFF', failures: 0, losses: 0 });
      delays.push(scenario.taskRun(run, 'work').dueAt! - scenario.now);
      scenario.pass(30_000);
      scenario.place();
    }
    expect(delays.slice(0, 7)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    expect(Math.max(...delays)).toBe(30_000);
    scenario.succeed(run, 'work');
    expect(scenario.run(run).state).toBe('SUCCEEDED');
  });

  it('costs nothing either when its node is lost before it reported a start', () => {
    const { scenario, run } = triggered();
    scenario.lose();
    expect(scenario.taskRun(run, 'work')).toMatchObject({ state: 'BACKOFF', losses: 0, attempt: { state: 'LOST' } });
  });

  it('may be rejected although it must not be done twice', () => {
    const { scenario, run } = triggered({ idempotent: false });
    scenario.report(run, 'work', 'REJECTED', rejected);
    expect(scenario.taskRun(run, 'work').state).toBe('BACKOFF');
  });
});

describe('an attempt that was lost at work', () => {
  it('is a loss, and the fourth is told as poison', () => {
    const { scenario, run } = triggered();
    for (let loss = 1; loss <= 4; loss++) {
      scenario.report(run, 'work', 'RUNNING');
      scenario.fail(run, 'work', 'INFRASTRUCTURE');
      expect(scenario.taskRun(run, 'work').losses).toBe(loss);
      scenario.pass(30_000);
      scenario.place();
    }
    expect(scenario.run(run).state).toBe('FAILED');
    expect(scenario.reasonOf(run, 'work')).toEqual({
      code: 'POISON',
      message: 'It was lost 4 times while it was at work, and 3 times are tolerated. The last time: exited with code 1',
      remedy:
        'See whether the task itself brings its node down, by the memory that it takes for instance. Then retry the run.',
    });
  });
});

describe('an outcome that nobody knows', () => {
  const unknown = [
    ['its node was lost while it ran', (s: Scenario, run: never) => (s.report(run, 'work', 'RUNNING'), s.lose())],
    ['its node was lost before it reported anything', (s: Scenario) => s.lose()],
    ['its agent forgot it', (s: Scenario, run: never) => (s.report(run, 'work', 'STARTING'), forget(s))],
    ['the platform ended it', (s: Scenario, run: never) => s.fail(run, 'work', 'INFRASTRUCTURE')],
    ['its runner does not know', (s: Scenario, run: never) => s.fail(run, 'work', 'UNKNOWN')],
  ] as const;

  it.each(unknown)('is final where the work must not be done twice: %s', (_, end) => {
    const retry = { max: 3, backoff: 'constant', delayMs: 10, maxDelayMs: 10 } as const;
    const { scenario, run } = triggered({ idempotent: false, retry });
    end(scenario, run as never);
    expect(scenario.run(run).state).toBe('FAILED');
    expect(scenario.taskRun(run, 'work').attempt).toMatchObject({
      number: 1,
      failure: {
        kind: 'UNKNOWN',
        reason: {
          code: 'OUTCOME_UNKNOWN',
          message: expect.stringMatching(/^Nobody knows whether work finished: .* idempotent is false, so it is not/),
          remedy: 'Check what was done, then retry the run.',
        },
      },
    });
  });

  it.each(unknown)('is repeated where it may be: %s', (_, end) => {
    const { scenario, run } = triggered({ idempotent: true });
    end(scenario, run as never);
    expect(scenario.taskRun(run, 'work')).toMatchObject({ state: 'BACKOFF', failures: 0 });
  });

  it('is what the task says, then the pool, then the runner', () => {
    const asked: unknown[] = [];
    const askRunner: RunnerIdempotency = (runner, config) => {
      asked.push([runner, config]);
      return false;
    };
    const ends = (task: boolean | null, pool: boolean | null): string => {
      const { scenario, run } = triggered({ idempotent: task, with: { method: '${{ run.id }}' } }, askRunner);
      scenario.pool.idempotent = pool;
      scenario.fail(run, 'work', 'UNKNOWN');
      return scenario.taskRun(run, 'work').state;
    };
    expect(ends(true, false)).toBe('BACKOFF');
    expect(ends(false, true)).toBe('FAILED');
    expect(ends(null, true)).toBe('BACKOFF');
    expect(ends(null, false)).toBe('FAILED');
    expect(asked).toEqual([]);
    expect(ends(null, null)).toBe('FAILED');
    // As the attempt got it: what an expression names is known by then.
    expect(asked).toEqual([['mock', { method: 'run-1' }]]);
  });

  it('spends the user’s retries where the plugin is to blame', () => {
    const { scenario, run } = triggered();
    const failure = { kind: 'UNKNOWN', reason: { code: 'RUNNER_THREW', message: 'It threw.' } } as const;
    scenario.report(run, 'work', 'FAILED', { failure });
    expect(scenario.taskRun(run, 'work')).toMatchObject({ state: 'FAILED', failures: 1, losses: 0 });
  });

  it('is a failure of the task where that is known, which `retry` repeats as ever', () => {
    const retry = { max: 1, backoff: 'constant', delayMs: 10, maxDelayMs: 10 } as const;
    const { scenario, run } = triggered({ idempotent: false, retry });
    scenario.fail(run, 'work');
    expect(scenario.taskRun(run, 'work')).toMatchObject({ state: 'BACKOFF', failures: 1 });
  });

  it('is not made by stopping the work to make room', () => {
    for (const idempotent of [true, false]) {
      const { scenario, run } = triggered({ idempotent });
      scenario.report(run, 'work', 'RUNNING');
      const before = scenario.effects.length;
      scenario.step({ type: 'PREEMPT', taskRun: `${run}.0`, by: 'another' });
      expect(scenario.effects.slice(before).map(({ type }) => type)).toEqual(idempotent ? ['STOP'] : []);
    }
  });
});

describe('a pool', () => {
  it('is told what tasks may be repeated without another scheduler', () => {
    const scenario = new Scenario();
    scenario.command({ type: 'UPDATE_POOL', update: null, idempotent: false });
    expect(scenario.pool.idempotent).toBe(false);
    expect(scenario.changes.at(-1)).toMatchObject({ poolIdempotent: false });
    expect(scenario.changes.at(-1)).not.toHaveProperty('poolUpdate');
    scenario.command({ type: 'UPDATE_POOL', update: null, idempotent: null });
    expect(scenario.pool.idempotent).toBeNull();
  });
});

/** The agent was restarted and knows nothing. */
function forget(scenario: Scenario): void {
  const facts = someFacts('n1', { capacity: { slots: 1_000 } });
  scenario.step({ type: 'NODE_HELLO', facts, incarnation: 2, known: [] });
}
