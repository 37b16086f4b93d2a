import { setImmediate as turn } from 'node:timers/promises';
import type { AttemptHarness, TestAttempt } from './attempt-harness.ts';
import { leftProcesses } from './left-processes.ts';
import type { RunnerCheck, RunnerFixtures } from './runner-fixtures.ts';
import { wrongOutcome } from './wrong-outcome.ts';

/** What a busy node does to its runners. */
export const loadChecks: readonly RunnerCheck[] = [
  { name: 'can have 200 attempts at once', run: manyAtOnce },
  { name: 'ends whatever is stopped while it starts, at whatever moment', run: startStorm },
  { name: 'leaves no process behind, however its attempts ended', run: leavesNothing },
];

const countOf = ({ atOnce = 200 }: RunnerFixtures): number => atOnce;

async function manyAtOnce(harness: AttemptHarness, fixtures: RunnerFixtures): Promise<string | null> {
  const attempts = Array.from({ length: countOf(fixtures) }, () => harness.attempt(fixtures.succeeds));
  const outcomes = await Promise.all(attempts.map((attempt) => attempt.run()));
  const failed = outcomes.filter(({ ok }) => !ok);
  return failed.length === 0 ? null : `${failed.length} of ${outcomes.length} failed: ${JSON.stringify(failed[0])}`;
}

/** Moments of a start, from before it to when it is under way. */
const MOMENTS: readonly ((attempt: TestAttempt) => Promise<unknown>)[] = [
  () => Promise.resolve(),
  () => turn(),
  async () => {
    for (let count = 0; count < 10; count++) await turn();
  },
  () => new Promise((resolve) => setTimeout(resolve, 5)),
  (attempt) => Promise.race([attempt.untilStarted(), new Promise((resolve) => setTimeout(resolve, 50))]),
];

async function startStorm(harness: AttemptHarness, fixtures: RunnerFixtures): Promise<string | null> {
  const wrong = await Promise.all(
    Array.from({ length: countOf(fixtures) }, async (_, index) => {
      const attempt = harness.attempt(fixtures.endless);
      const ended = attempt.run();
      await MOMENTS[index % MOMENTS.length]!(attempt);
      if (index % 2 === 0) attempt.requestStop();
      else attempt.requestKill();
      const outcome = await ended;
      // Work that was ended by a signal on its way may have ended well: who stopped it knows better.
      return wrongOutcome(outcome);
    }),
  );
  return wrong.find((each) => each !== null) ?? leftOf(harness);
}

async function leavesNothing(harness: AttemptHarness, fixtures: RunnerFixtures): Promise<string | null> {
  const { succeeds, fails, endless } = fixtures;
  const attempts = [succeeds, fails, endless, endless].map((config) => harness.attempt(config));
  const [, , stopped, killed] = attempts;
  const ended = attempts.map((attempt) => attempt.run());
  for (const attempt of [stopped!, killed!]) await MOMENTS.at(-1)!(attempt);
  stopped!.requestStop();
  killed!.requestKill();
  await Promise.all(ended);
  return leftOf(harness);
}

function leftOf({ attemptIds }: AttemptHarness): string | null {
  const left = leftProcesses(attemptIds);
  return left.length === 0 ? null : `the processes ${left.join(', ')} are still there`;
}
