import { beforeAll, describe, expect, it } from '@jest/globals';
import { attemptTransitions, type AttemptState } from '../../server/domain/attempt.ts';
import { connectionTransitions, eligibilityTransitions } from '../../server/domain/node.ts';
import { ANYWHERE } from '../../server/domain/placement-rules.ts';
import { runId } from '../../server/domain/ids.ts';
import { runTransitions } from '../../server/domain/run.ts';
import { taskRunTransitions } from '../../server/domain/task-run.ts';
import { Step } from '../../server/engine/core/step.ts';
import { Scenario } from '../engine/scenario.ts';
import { simulate } from '../simulation/simulation.ts';
import { aDefinition, aTask } from '../support/builders.ts';

/*
 * No table of states promises what never happens: every transition of every table occurs, in histories of the simulation
 * or in a scenario that makes the rare ones.
 */

const TABLES = {
  run: runTransitions,
  taskRun: taskRunTransitions,
  attempt: attemptTransitions,
  connection: connectionTransitions,
  eligibility: eligibilityTransitions,
} as const;
type Subject = keyof typeof TABLES;

const seen = new Set<string>();
const note = (subject: Subject, from: string, to: string): void => {
  if (from !== to) seen.add(`${subject}: ${from} → ${to}`);
};

/** Listens at the one place through which every change of a state goes. */
function listen(): void {
  const { runState, taskRunState, attemptState, nodeConnection, nodeEligibility } = Step.prototype;
  Object.assign(Step.prototype, {
    runState(...[run, state]: Parameters<typeof runState>) {
      note('run', run.state, state);
      return runState.call(this as unknown as Step, run, state);
    },
    taskRunState(...[taskRun, state]: Parameters<typeof taskRunState>) {
      note('taskRun', taskRun.state, state);
      return taskRunState.call(this as unknown as Step, taskRun, state);
    },
    attemptState(...[taskRun, attempt, state]: Parameters<typeof attemptState>) {
      note('attempt', attempt.state, state);
      return attemptState.call(this as unknown as Step, taskRun, attempt, state);
    },
    nodeConnection(...[node, connection]: Parameters<typeof nodeConnection>) {
      note('connection', node.connection, connection);
      return nodeConnection.call(this as unknown as Step, node, connection);
    },
    nodeEligibility(...[node, eligibility]: Parameters<typeof nodeEligibility>) {
      note('eligibility', node.eligibility, eligibility);
      return nodeEligibility.call(this as unknown as Step, node, eligibility);
    },
  });
}

const single = aDefinition([aTask('a')]);

/** A run of one task whose attempt is on the node, in the states that its agent reported. */
function atWork(...states: readonly AttemptState[]): { scenario: Scenario; run: ReturnType<typeof runId> } {
  const scenario = new Scenario();
  const run = scenario.trigger(single);
  scenario.place();
  for (const state of states) scenario.report(run, 'a', state);
  return { scenario, run };
}

/** Ways to end that an agent can report from a state. */
const ENDS = ['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'CANCELLED', 'REJECTED'] as const;

const SCENARIOS: Readonly<Record<string, () => void>> = {
  'an attempt that its agent prepares first, and ends in every way': () => {
    for (const before of [[], ['STARTING'], ['STARTING', 'RUNNING']] as const) {
      for (const end of ENDS) atWork(...before, end);
    }
  },
  'an agent that forgot what it prepared': () => {
    const { scenario } = atWork('STARTING');
    const [facts] = [...scenario.pool.nodes.values()];
    scenario.step({ type: 'NODE_HELLO', facts: facts!, incarnation: 2, known: [] });
  },
  'a run whose only task fans out over nothing': () => {
    new Scenario().trigger(aDefinition([aTask('a', { forEach: [] })]));
  },
  'a run that fails before anything is placed': () => {
    const definition = aDefinition([aTask('a', { forEach: '${{ params.items }}' })], {
      params: { items: { type: 'json', description: '' } },
    });
    new Scenario().trigger(definition, { items: 'no list' });
  },
  'a run that is cancelled while it is paused': () => {
    const scenario = new Scenario();
    const run = scenario.trigger(single);
    scenario.command({ type: 'PAUSE_RUN', run });
    scenario.command({ type: 'CANCEL_RUN', run });
  },
  'a run that is cancelled after a failure, when its last task has just been done': () => {
    const scenario = new Scenario();
    const run = scenario.trigger(aDefinition([aTask('a'), aTask('b')]));
    scenario.place();
    scenario.fail(run, 'a');
    scenario.command({ type: 'CANCEL_RUN', run });
    scenario.succeed(run, 'b');
  },
  'a run whose last task fails while it is paused': () => {
    const { scenario, run } = atWork('RUNNING');
    scenario.command({ type: 'PAUSE_RUN', run });
    scenario.fail(run, 'a');
  },
  'a run that is repeated, with what is good taken over': () => {
    const scenario = new Scenario();
    const definition = aDefinition([aTask('a'), aTask('b', { needs: ['a'] })]);
    const run = scenario.trigger(definition);
    scenario.place();
    scenario.succeed(run, 'a');
    scenario.place();
    scenario.fail(run, 'b');
    const { taskRuns, ...original } = scenario.run(run);
    scenario.command(
      { type: 'RETRY_RUN', of: run, run: runId('again'), from: 'FAILED', tasks: [] },
      { definition, original: { run: original, taskRuns, definition } as never },
    );
  },
  'a gang for which there is no room in time': () => {
    const scenario = new Scenario();
    const gang = aTask('a', { forEach: [1, 2], placement: { ...ANYWHERE, gang: { timeoutMs: 1_000 } } });
    scenario.trigger(aDefinition([gang]));
    scenario.pass(2_000);
  },
  'a node that is cordoned and uncordoned': () => {
    const scenario = new Scenario();
    scenario.command({ type: 'CORDON_NODE', node: 'n1' });
    scenario.command({ type: 'UNCORDON_NODE', node: 'n1' });
  },
};

describe('a table of states', () => {
  beforeAll(() => {
    listen();
    for (let seed = 1; seed <= 60; seed++) simulate(seed);
  });

  // The engine throws for what the table does not have.
  it.each(Object.entries(SCENARIOS))('is kept by %s', (_situation, play) => {
    expect(play).not.toThrow();
  });

  it.each(Object.entries(TABLES))('of a %s has no transition that never occurs', (subject, table) => {
    const promised = Object.entries(table).flatMap(([from, successors]) =>
      (successors as readonly string[]).map((to) => `${subject}: ${from} → ${to}`),
    );
    expect(promised.filter((transition) => !seen.has(transition))).toEqual([]);
  });
});
