import { describe, expect, it } from '@jest/globals';
import { restore } from '../../server/engine/core/restore.ts';
import { DEFAULT_SILENCE } from '../../server/engine/core/pool-state.ts';
import { aDefinition, aTask, someFacts } from '../support/builders.ts';
import { Scenario } from './scenario.ts';

describe('the GPUs of an attempt', () => {
  const definition = aDefinition([aTask('train', { resources: { gpu: 2_000 }, env: { CUDA_VISIBLE_DEVICES: 'all' } })]);
  const placed = () => {
    const scenario = new Scenario(someFacts('n1', { capacity: { gpu: 4_000 } }));
    const run = scenario.trigger(definition);
    const change = scenario.step({
      type: 'PLACEMENT',
      placements: [{ taskRun: `${run}.0`, node: 'n1', gpus: [1, 3] }],
    });
    return { scenario, run, change };
  };

  it('are told to the agent, and to the command, which cannot have others', () => {
    const { scenario } = placed();
    const assigned = scenario.effects.find(({ type }) => type === 'ASSIGN');
    expect(assigned).toMatchObject({
      spec: { gpus: [1, 3], env: { CUDA_VISIBLE_DEVICES: '1,3', NVIDIA_VISIBLE_DEVICES: '1,3', GANTRY_GPUS: '1,3' } },
    });
  });

  it('are stored with the assignment, and known after a restart', () => {
    const { scenario, run, change } = placed();
    expect(change.gpus).toEqual([{ runKey: scenario.run(run).key, ordinal: 0, number: 1, gpus: [1, 3] }]);
    const { pool } = restore(
      'default',
      {
        nodes: [...scenario.pool.nodes.values()],
        runs: [{ run: scenario.run(run), definition, taskRuns: scenario.run(run).taskRuns }],
        assigned: [],
        gpus: change.gpus,
      },
      9,
      { at: scenario.now, tick: 0 },
      DEFAULT_SILENCE,
    );
    expect(pool.taskRun(run, 0)!.attempt).toMatchObject({ number: 1, gpus: [1, 3] });
  });
});
