import { describe, expect, it } from '@jest/globals';
import type { RecoveredPool } from '../../server/domain/input.ts';
import { DEFAULT_SILENCE } from '../../server/engine/core/pool-state.ts';
import { restore } from '../../server/engine/core/restore.ts';
import { RunFault } from '../../server/engine/core/run-fault.ts';
import { aDefinition, aTask } from '../support/builders.ts';
import { Scenario } from './scenario.ts';

/** What the engine threw. */
function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('It threw nothing.');
}

/** A row that cannot be written. */
function refuse(): void {
  throw new Error('It cannot be written.');
}

const retry = { max: 1, backoff: 'constant', delayMs: 1_000, maxDelayMs: 1_000 } as const;

describe('a run with which the engine cannot go on', () => {
  it.each(['a report', 'a retry that is due'])('is named by the fault of %s, so that it is set aside', (of) => {
    const scenario = new Scenario();
    const run = scenario.trigger(aDefinition([aTask('a', { retry })]));
    scenario.place();
    if (of !== 'a report') scenario.fail(run, 'a');
    const broken = scenario.pool.runs.get(run)!;
    const { taskRuns } = broken;
    // As a fault of ours would leave it.
    Object.assign(broken, { instancesLeft: null });
    if (of !== 'a report') Object.defineProperty(taskRuns[0], 'readyAt', { set: refuse });
    const fault = thrownBy(() => (of === 'a report' ? scenario.succeed(run, 'a') : scenario.pass(1_000)));
    expect(fault).toBeInstanceOf(RunFault);
    expect(fault).toMatchObject({ run });
  });

  it('is left out of what is restored, and the others are there', () => {
    const scenario = new Scenario();
    const definition = aDefinition([aTask('a')]);
    const [sound, bad] = [scenario.trigger(definition), scenario.trigger(definition)];
    const stored = (run: typeof sound, overrides: object = {}) => ({
      run: { ...scenario.run(run), ...overrides, taskRunCount: 1 },
      definition,
      taskRuns: scenario.run(run).taskRuns,
    });
    const recovered = {
      nodes: [...scenario.pool.nodes.values()],
      runs: [stored(sound), stored(bad, { finishedCount: 1 })],
      assigned: [],
      gpus: [],
    } as unknown as RecoveredPool;
    const { pool, damaged } = restore('default', recovered, 9, { at: scenario.now, tick: 0 }, DEFAULT_SILENCE);
    expect([...pool.runs.keys()]).toEqual([sound]);
    expect(damaged).toMatchObject([{ id: bad, pipeline: definition.name }]);
    expect(damaged[0]!.message).toContain('counts 1 task runs that have ended; there are 0');
  });
});
