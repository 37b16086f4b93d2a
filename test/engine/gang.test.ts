import { describe, expect, it } from '@jest/globals';
import { ANYWHERE } from '../../server/domain/placement-rules.ts';
import { aDefinition, aTask } from '../support/builders.ts';
import { Scenario } from './scenario.ts';

const TIMEOUT_MS = 60_000;
const gang = aDefinition([
  aTask('train', {
    forEach: '${{ params.items }}',
    placement: { ...ANYWHERE, gang: { timeoutMs: TIMEOUT_MS } },
  }),
  aTask('after', { needs: ['train'] }),
]);

function started(count: number) {
  const scenario = new Scenario();
  const run = scenario.trigger(gang, { items: Array.from({ length: count }, (_, at) => at) });
  return { scenario, run };
}

describe('a gang', () => {
  it('fails as a whole when there was no room for all of it in time, and says so', () => {
    const { scenario, run } = started(3);
    scenario.pass(TIMEOUT_MS - 1);
    expect(scenario.states(run)['train[0]']).toBe('READY');
    scenario.pass(1);
    expect(scenario.states(run)).toEqual({
      'train[0]': 'FAILED',
      'train[1]': 'FAILED',
      'train[2]': 'FAILED',
      after: 'UPSTREAM_FAILED',
    });
    expect(scenario.run(run)).toMatchObject({
      state: 'FAILED',
      reason: {
        code: 'GANG_TIMED_OUT',
        message: 'train: There was not room for all 3 instances at once within 1m.',
      },
    });
  });

  it('is left alone once it has started, and when one of it waits for its second try', () => {
    const { scenario, run } = started(2);
    scenario.place();
    scenario.report(run, 'train', 'FAILED', {
      mapIndex: 0,
      failure: { kind: 'INFRASTRUCTURE', reason: { code: 'GONE', message: 'gone' } },
    });
    scenario.pass(2 * TIMEOUT_MS);
    expect(scenario.states(run)).toMatchObject({ 'train[0]': 'READY', 'train[1]': 'ASSIGNED' });
    scenario.pass(2 * TIMEOUT_MS);
    expect(scenario.states(run)).toMatchObject({ 'train[0]': 'READY', 'train[1]': 'ASSIGNED' });
  });

  it('has all of its time again after a pause', () => {
    const { scenario, run } = started(2);
    scenario.pass(TIMEOUT_MS - 1);
    scenario.command({ type: 'PAUSE_RUN', run });
    scenario.pass(5 * TIMEOUT_MS);
    expect(scenario.states(run)['train[0]']).toBe('BLOCKED');
    scenario.command({ type: 'RESUME_RUN', run });
    scenario.pass(TIMEOUT_MS - 1);
    expect(scenario.states(run)['train[0]']).toBe('READY');
    scenario.pass(1);
    expect(scenario.states(run)['train[0]']).toBe('FAILED');
  });

  it('may not be larger than what a scheduler is shown at once', () => {
    const { scenario, run } = started(4_097);
    expect(scenario.run(run)).toMatchObject({ state: 'FAILED', reason: { code: 'GANG_TOO_LARGE' } });
  });
});

describe('a preemption', () => {
  const running = () => {
    const scenario = new Scenario();
    const run = scenario.trigger(aDefinition([aTask('long')]));
    scenario.place();
    scenario.report(run, 'long', 'RUNNING');
    scenario.step({ type: 'PREEMPT', taskRun: `${run}.0`, by: 'other.0' });
    return { scenario, run };
  };

  it('asks the node to stop, and puts the task run back into the queue without a failure', () => {
    const { scenario, run } = running();
    expect(scenario.effects.at(-1)).toEqual({ type: 'STOP', node: 'n1', attempt: `${run}.0.1`, cause: 'PREEMPTED' });
    scenario.fail(run, 'long', 'PREEMPTED');
    expect(scenario.taskRun(run, 'long')).toMatchObject({ state: 'READY', failures: 0, losses: 0 });
  });

  it('leaves an attempt its success that came first', () => {
    const { scenario, run } = running();
    scenario.succeed(run, 'long');
    expect(scenario.run(run).state).toBe('SUCCEEDED');
  });
});
