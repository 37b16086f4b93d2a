import { describe, expect, it } from '@jest/globals';
import { DurationHistory } from '../../server/engine/duration-history.ts';
import { keyOf, runningIn, upcomingIn } from '../../server/engine/requests.ts';
import { aDefinition, aTask } from '../support/builders.ts';
import { Scenario } from './scenario.ts';

describe('what a scheduler is told to plan with', () => {
  const diamond = aDefinition([
    aTask('a'),
    aTask('b', { needs: ['a'] }),
    aTask('c', { needs: ['a'] }),
    aTask('d', { needs: ['b', 'c'] }),
  ]);
  const history = new DurationHistory([{ pipeline: 'work', taskKey: 'b', durationMs: 8 }]);

  it('is every task run that waits, after what it waits for, with what is expected of it', () => {
    const scenario = new Scenario();
    const run = scenario.trigger(diamond);
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((key) => keyOf(scenario.taskRun(run, key)));
    const forecast = (key: number) => history.forecast(scenario.pool.runs.get(run)!, key);
    expect(upcomingIn(scenario.pool, history)).toEqual([
      expect.objectContaining({ key: b, after: [a], forecast: forecast(1) }),
      expect.objectContaining({ key: c, after: [a], forecast: forecast(2) }),
      expect.objectContaining({ key: d, after: [b, c], forecast: forecast(3) }),
    ]);
  });

  it('leaves out what is ready, runs or has ended', () => {
    const scenario = new Scenario();
    const run = scenario.trigger(diamond);
    scenario.place();
    scenario.succeed(run, 'a');
    scenario.place();
    expect(upcomingIn(scenario.pool, history).map(({ key }) => key)).toEqual([keyOf(scenario.taskRun(run, 'd'))]);
    const running = runningIn(scenario.pool, history);
    expect(running.map(({ forecast }) => forecast?.durationMs)).toEqual([8, null]);
    expect(runningIn(scenario.pool)[0]).not.toHaveProperty('forecast');
  });
});
