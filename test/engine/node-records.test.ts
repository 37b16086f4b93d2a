import { describe, expect, it } from '@jest/globals';
import { aDefinition, aTask, someFacts } from '../support/builders.ts';
import { Scenario } from './scenario.ts';

const told = (scenario: Scenario) =>
  scenario.changes.flatMap(({ nodeRecords }) => nodeRecords).map(({ type, message }) => [type, message]);

/** Lets the node be silent for so long, while the engine looks at it every second. */
function silent(scenario: Scenario, seconds: number): void {
  for (let passed = 0; passed < seconds; passed++) {
    scenario.now += 1_000;
    scenario.step();
  }
}

describe('the history of a node', () => {
  it('tells of its coming, its silence, its loss and its return, each once, in the step in which it came true', () => {
    const scenario = new Scenario();
    scenario.trigger(aDefinition([aTask('one'), aTask('two')]));
    scenario.place();
    silent(scenario, 20);
    scenario.pass(0);
    scenario.pass(1_000);
    silent(scenario, 60);
    const facts = someFacts('n1', { capacity: { slots: 1_000 } });
    scenario.step({ type: 'NODE_HELLO', facts, incarnation: 2, known: [] });
    scenario.step({ type: 'NODE_HELLO', facts, incarnation: 2, known: [] });
    expect(told(scenario)).toEqual([
      ['REGISTERED', null],
      ['SUSPECTED', 'It had been silent for 15 s.'],
      ['HEARD_AGAIN', null],
      ['SUSPECTED', 'It had been silent for 15 s.'],
      ['LOST', 'It had been silent for 45 s. 2 attempts given up.'],
      ['RETURNED', null],
    ]);
    const records = scenario.changes.flatMap(({ nodeRecords }) => nodeRecords);
    expect(records.map(({ incarnation }) => incarnation)).toEqual([1, 1, 1, 1, 1, 2]);
    for (const { at, nodeRecords } of scenario.changes) for (const record of nodeRecords) expect(record.at).toBe(at);
  });

  it('says how many attempts a restarted agent knew nothing of', () => {
    const scenario = new Scenario();
    const run = scenario.trigger(aDefinition([aTask('begun'), aTask('unheard')]));
    scenario.place();
    scenario.report(run, 'begun', 'RUNNING');
    const facts = someFacts('n1', { capacity: { slots: 1_000 } });
    scenario.step({ type: 'NODE_HELLO', facts, incarnation: 2, known: [] });
    expect(told(scenario).at(-1)).toEqual(['RETURNED', '1 attempt it knew nothing of any more: lost.']);
  });

  it('says who cordoned it and why; said again without a reason, nothing has happened', () => {
    const scenario = new Scenario();
    scenario.command({ type: 'CORDON_NODE', node: 'n1', message: 'a new disk' });
    scenario.command({ type: 'CORDON_NODE', node: 'n1' });
    scenario.command({ type: 'CORDON_NODE', node: 'n1', message: 'and a new fan' });
    scenario.command({ type: 'UNCORDON_NODE', node: 'n1' });
    const records = scenario.changes.flatMap(({ nodeRecords }) => nodeRecords).slice(1);
    expect(records.map(({ type, actor, message }) => [type, actor, message])).toEqual([
      ['CORDONED', 'tester', 'a new disk'],
      ['CORDONED', 'tester', 'and a new fan'],
      ['UNCORDONED', 'tester', null],
    ]);
  });

  it('says what a node has become, and which of its runners fails and recovers', () => {
    const [mock, docker] = ['mock', 'docker'].map((name) => ({ name, version: '1.0.0', health: 'HEALTHY' as const }));
    const before = someFacts('n1', { labels: { zone: 'a', rack: '7' }, runners: [mock!, docker!] });
    const scenario = new Scenario(before);
    const heard = (facts: typeof before) => scenario.step({ type: 'NODE_HEARD', node: 'n1', incarnation: 1, facts });
    const broken = { ...docker!, health: 'UNHEALTHY' as const, message: 'Cannot connect to the engine.' };
    heard({ ...before, runners: [mock!, broken] });
    heard({ ...before, runners: [mock!, { ...broken, message: 'Still not.' }] });
    heard(before);
    heard(before);
    const taints = [{ key: 'gpu', value: 'only', effect: 'NO_SCHEDULE' as const }];
    const after = someFacts('n1', {
      capacity: { slots: 9, gpu: 2_000 },
      labels: { zone: 'b' },
      taints,
      agentVersion: '2',
    });
    scenario.step({ type: 'NODE_HELLO', facts: after, incarnation: 2, known: [] });
    expect(told(scenario).slice(1)).toEqual([
      ['RUNNER_FAILED', 'docker cannot be used: Cannot connect to the engine.'],
      ['RUNNER_RECOVERED', 'docker can be used again.'],
      ['RETURNED', null],
      [
        'CHANGED',
        'capacity of gpu: none, now 2; capacity of slots: 8, now 9; label rack: 7, now none; label zone: a, now b; ' +
          'taint gpu: none, now only; runner docker: 1.0.0, now none; agent: 1.0.0, now 2.',
      ],
    ]);
  });

  it('tells amounts as people write them, and not that a tenth less of a disk is free than before', () => {
    const gibi = 2 ** 30;
    const before = someFacts('n1', { capacity: { cpu: 4_000, memory: 16 * gibi, disk: 60 * gibi } });
    const scenario = new Scenario(before);
    const heard = (capacity: typeof before.capacity) =>
      scenario.step({ type: 'NODE_HEARD', node: 'n1', incarnation: 1, facts: { ...before, capacity } });
    heard({ ...before.capacity, disk: 54 * gibi });
    heard({ cpu: 2_500, memory: 15.5 * gibi, disk: 2.5 * 1_024 * gibi });
    expect(told(scenario).slice(1)).toEqual([
      [
        'CHANGED',
        'capacity of cpu: 4, now 2500m; capacity of disk: 54Gi, now 2560Gi; capacity of memory: 16Gi, now 15.5Gi.',
      ],
    ]);
  });

  it('is nothing that attempts write', () => {
    const scenario = new Scenario();
    const run = scenario.trigger(aDefinition([aTask('work')]));
    scenario.place();
    scenario.report(run, 'work', 'RUNNING');
    scenario.succeed(run, 'work');
    expect(told(scenario)).toEqual([['REGISTERED', null]]);
  });
});
