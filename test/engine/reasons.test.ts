import { describe, expect, it } from '@jest/globals';
import { aDefinition, aTask } from '../support/builders.ts';
import { Scenario } from './scenario.ts';

const fan = aDefinition([
  aTask('split'),
  aTask('work', { needs: ['split'], forEach: '${{ tasks.split.outputs.parts }}' }),
  aTask('merge', { needs: ['work'] }),
  aTask('tell', { needs: ['merge'] }),
]);

function splitInto(parts: never) {
  const scenario = new Scenario();
  const run = scenario.trigger(fan);
  scenario.place();
  scenario.succeed(run, 'split', { parts });
  return { scenario, run };
}

describe('the reason of an end without an attempt', () => {
  it('is what forEach yielded, and how to write a list', () => {
    const { scenario, run } = splitInto('["a","b"]' as never);
    expect(scenario.reasonOf(run, 'work')).toEqual({
      code: 'FOR_EACH_NOT_A_LIST',
      message: 'forEach must yield a list, and it yielded the text: "[\\"a\\",\\"b\\"]".',
      remedy:
        'Let the task split write the list as JSON: parts:=[…] in $GANTRY_OUTPUT. With parts=[…] the value is text.',
    });
  });

  it.each([
    [7, 'a number: 7.'],
    [{ a: 1 }, 'an object: {"a":1}.'],
    [null, 'null: null.'],
    [true, 'a boolean: true.'],
    ['x'.repeat(500), `the text: "${'x'.repeat(79)}….`],
  ])('says what it was: %j', (value, shown) => {
    const { scenario, run } = splitInto(value as never);
    const { message, remedy } = scenario.reasonOf(run, 'work')!;
    expect(message).toBe(`forEach must yield a list, and it yielded ${shown}`);
    expect(remedy).toContain('parts:=["a","b"]');
  });

  it('names the root where something upstream failed, all the way down', () => {
    const { scenario, run } = splitInto(['a', 'b'] as never);
    scenario.place();
    scenario.report(run, 'work', 'FAILED', {
      mapIndex: 1,
      failure: { kind: 'APPLICATION', reason: { code: 'EXIT_CODE', message: 'exited with code 1' } },
    });
    scenario.succeed(run, 'work', {}, 0);
    const why = { code: 'UPSTREAM_FAILED', message: 'The task work[1], which it needs, failed: exited with code 1.' };
    expect(scenario.reasonOf(run, 'merge')).toEqual(why);
    expect(scenario.reasonOf(run, 'tell')).toEqual(why);
    // An attempt tells why it failed; a success needs no reason.
    expect(scenario.reasonOf(run, 'work', 1)).toBeNull();
    expect(scenario.reasonOf(run, 'work', 0)).toBeNull();
  });

  it('counts the instances that failed', () => {
    const { scenario, run } = splitInto(['a', 'b', 'c'] as never);
    scenario.place();
    for (const mapIndex of [0, 1, 2]) {
      const failure = { kind: 'APPLICATION', reason: { code: 'EXIT_CODE', message: `code ${mapIndex}.` } } as const;
      scenario.report(run, 'work', 'FAILED', { mapIndex, failure });
    }
    expect(scenario.reasonOf(run, 'merge')?.message).toBe(
      'The task work[0], which it needs, and 2 more instances of it, failed: code 0.',
    );
  });

  it('is the empty list, and for those that need the task that it was skipped', () => {
    const { scenario, run } = splitInto([] as never);
    expect(scenario.states(run)).toMatchObject({ work: 'SKIPPED', merge: 'SKIPPED', tell: 'SKIPPED' });
    expect(scenario.reasonOf(run, 'work')?.code).toBe('FOR_EACH_EMPTY');
    expect(scenario.reasonOf(run, 'tell')).toEqual({
      code: 'UPSTREAM_SKIPPED',
      message: 'The task work, which it needs, was skipped: forEach yielded an empty list: there was nothing to do.',
    });
  });

  it('is who cancelled the run, which the run says', () => {
    const scenario = new Scenario();
    const run = scenario.trigger(fan);
    scenario.command({ type: 'CANCEL_RUN', run, message: 'wrong data' });
    expect(scenario.run(run)).toMatchObject({
      state: 'CANCELLED',
      reason: { code: 'CANCELLED', message: 'Cancelled by tester: wrong data' },
    });
  });
});
