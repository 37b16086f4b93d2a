import { describe, expect, it } from '@jest/globals';
import { configOf, tasksNamedBy } from '../../server/domain/task-config.ts';
import type { Task } from '../../server/domain/task.ts';

const aTask = (changes: Partial<Task>): Task =>
  ({ key: 'train', runner: 'shell', with: {}, env: {}, needs: [], forEach: null, ...changes }) as Task;
const facts = {
  id: 'r1',
  params: { region: 'eu', sizes: [1, 2] },
  outputs: new Map<string, never>([['split', { parts: ['a', 'b'] } as never]]),
};

describe('what a task run is executed with', () => {
  it('has params, outputs and its item filled in, and the name of a secret where that goes', () => {
    const task = aTask({
      with: {
        command:
          'train ${{ item }} of ${{ params.region }} with ${{ secrets.KEY }}:${{ secrets.OTHER }}!\nrun ${{ run.id }}',
        list: ['${{ params.sizes }}', { deep: '${{ tasks.split.outputs.parts[1] }} ${{ secrets.KEY }}' }],
      },
      env: { INDEX: '${{ index }}' },
      forEach: '${{ tasks.split.outputs.parts }}',
    });
    expect([...tasksNamedBy(task)]).toEqual(['split']);
    expect(configOf(task, 1, facts)).toEqual({
      ok: true,
      config: {
        with: {
          command: 'train b of eu with ${{ secrets.KEY }}:${{ secrets.OTHER }}!\nrun r1',
          list: [[1, 2], { deep: 'b ${{ secrets.KEY }}' }],
        },
        env: { INDEX: 1 },
        item: 'b',
      },
    });
  });

  it('does not read as an expression what a param holds', () => {
    const task = aTask({ with: { command: 'echo ${{ params.text }}' } });
    const params = { text: '${{ secrets.KEY }} ${{ params.text }}' };
    expect(configOf(task, null, { ...facts, params })).toMatchObject({
      config: { with: { command: 'echo ${{ secrets.KEY }} ${{ params.text }}' } },
    });
  });

  it('cannot be said while what it reads is not there', () => {
    const task = aTask({ with: { command: '${{ tasks.split.outputs.parts }}' } });
    expect(configOf(task, null, { ...facts, outputs: new Map([['split', null]]) })).toMatchObject({ ok: false });
  });
});
