import { statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import type { RunnerPlugin, StopReason } from '../runner.ts';
import { AttemptHarness, type TestAttempt } from './attempt-harness.ts';
import { hostileChecks } from './runner-checks-of-hostile-input.ts';
import { loadChecks } from './runner-checks-under-load.ts';
import type { RunnerCheck, RunnerFixtures } from './runner-fixtures.ts';
import { wrongOutcome } from './wrong-outcome.ts';

export type { RunnerCheck, RunnerFixtures } from './runner-fixtures.ts';

/*
 * What every runner must hold, whatever it runs. Each check runs real attempts and says what it found, or null.
 * `describeRunner` makes tests of them; a command-line tool can run them as they are.
 */

/** Every check, in the order in which a failure is most telling. */
export const runnerChecks: readonly RunnerCheck[] = [
  { name: 'says who it is', run: presentsItself },
  {
    name: 'has a config schema that accepts its work, refuses nonsense with problems, and never throws',
    run: checksConfig,
  },
  { name: 'ends well with outputs that are plain JSON', run: succeeds },
  { name: 'tells failures by a code and a sentence, and does not throw', run: fails },
  { name: 'prints on the streams of its attempt, and nothing after it has settled', run: prints },
  { name: 'keeps attempts that run at once apart', run: keepsApart },
  { name: 'ends when it is asked to, in the middle', run: stopsInTheMiddle },
  { name: 'ends when it was asked to before it began', run: stopsAtOnce },
  { name: 'ends by the hard stop', run: isKilled },
  { name: 'ends by the hard stop what does not listen to the soft one', run: endsStubborn },
  { name: 'ends for whatever reason it is asked to: a timeout, a preemption, …', run: stopsForEveryReason },
  { name: 'names the signal that ended its work', run: namesSignal },
  { name: 'lets a task pay for its own mistakes, and no node for them', run: blamesTask },
  { name: 'prints in the order in which its work did', run: printsInOrder },
  ...hostileChecks,
  ...loadChecks,
  { name: 'leaves its config and inputs untouched', run: leavesInputs },
  { name: 'finds again what it asked to be found, and does not throw for what is gone', run: reattaches },
  { name: 'tells what its node offers in the form that is agreed', run: detects },
  { name: 'may be closed twice, and used again', run: closes },
];

const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

function presentsItself({ plugin }: AttemptHarness): Promise<string | null> {
  const wrong = () => {
    if (plugin.kind !== 'runner') return `its kind is ${String(plugin.kind)}`;
    if (!NAME.test(plugin.name)) return `its name ${plugin.name} is not lower case letters, digits and dashes`;
    if (!/^\d+\.\d+\.\d+/.test(plugin.version)) return `its version ${plugin.version} is not semantic`;
    if (!/^\d+\.\d+$/.test(plugin.contract)) return `its contract ${plugin.contract} is no version: use defineRunner`;
    return plugin.summary.trim() === '' ? 'it has no summary' : null;
  };
  return Promise.resolve(wrong());
}

function checksConfig({ plugin }: AttemptHarness, fixtures: RunnerFixtures): Promise<string | null> {
  const wrong = () => {
    for (const config of [fixtures.succeeds, fixtures.fails, fixtures.endless]) {
      const checked = plugin.config.check(config);
      if (!checked.ok) return `${JSON.stringify(config)} is refused: ${JSON.stringify(checked.problems)}`;
    }
    for (const value of [null, 7, 'text', [], { 'no-such-setting': 1 }, { nested: { deeply: [] } }]) {
      try {
        const checked = plugin.config.check(value);
        if (!checked.ok && checked.problems.length === 0)
          return `${JSON.stringify(value)} is refused without a problem`;
        if (!checked.ok && checked.problems.some(({ code, message }) => !code || !message))
          return `${JSON.stringify(value)} is refused with a problem that lacks its code or message`;
      } catch (error) {
        return `the check of ${JSON.stringify(value)} threw ${String(error)}`;
      }
    }
    const { jsonSchema } = plugin.config;
    return typeof jsonSchema === 'object' && jsonSchema !== null ? null : 'the config has no JSON Schema';
  };
  return Promise.resolve(wrong());
}

async function succeeds(harness: AttemptHarness, fixtures: RunnerFixtures): Promise<string | null> {
  const attempt = harness.attempt(fixtures.succeeds);
  const outcome = await attempt.run();
  const { workdir } = attempt;
  if (!isAbsolute(workdir) || (statSync(workdir).mode & 0o077) !== 0) return `${workdir} was opened to others`;
  return outcome.ok ? wrongOutcome(outcome) : `it failed: ${JSON.stringify(outcome.reason)}`;
}

async function fails(harness: AttemptHarness, fixtures: RunnerFixtures): Promise<string | null> {
  const outcome = await harness.attempt(fixtures.fails).run();
  return outcome.ok ? 'it ended well' : wrongOutcome(outcome);
}

async function prints(harness: AttemptHarness, fixtures: RunnerFixtures): Promise<string | null> {
  if (!fixtures.prints) return null;
  const { config, text } = fixtures.prints;
  const attempt = harness.attempt(config);
  const outcome = await attempt.run();
  const printed = attempt.text;
  if (!outcome.ok) return `it failed: ${JSON.stringify(outcome.reason)}`;
  if (!printed.includes(text)) return `"${text}" was not printed when it settled, but "${printed.slice(0, 200)}"`;
  if (!attempt.hasStarted) return 'it did not say that it had started';
  await new Promise((resolve) => setImmediate(resolve));
  return attempt.text === printed ? null : 'it printed on after it had settled';
}

async function keepsApart(harness: AttemptHarness, fixtures: RunnerFixtures): Promise<string | null> {
  const attempts = Array.from({ length: 20 }, (_, index) =>
    harness.attempt(index % 2 === 0 ? fixtures.succeeds : fixtures.fails),
  );
  const outcomes = await Promise.all(attempts.map((attempt) => attempt.run()));
  const wrong = outcomes.findIndex(({ ok }, index) => ok !== (index % 2 === 0));
  return wrong < 0 ? null : `of 20 at once, number ${wrong} ended as ${JSON.stringify(outcomes[wrong])}`;
}

async function stopsInTheMiddle(harness: AttemptHarness, fixtures: RunnerFixtures): Promise<string | null> {
  const attempt = harness.attempt(fixtures.endless);
  const ended = attempt.run();
  await untilBegun(attempt);
  attempt.requestStop();
  return wrongOutcome(await ended);
}

async function stopsAtOnce(harness: AttemptHarness, fixtures: RunnerFixtures): Promise<string | null> {
  const attempt = harness.attempt(fixtures.endless);
  attempt.requestStop();
  const wrong = wrongOutcome(await attempt.run());
  // Its time would be counted from there.
  return wrong ?? (attempt.hasStarted ? 'it said that it had started, though it was stopped before' : null);
}

async function blamesTask(harness: AttemptHarness, { mistakes = [] }: RunnerFixtures): Promise<string | null> {
  for (const { config, code } of mistakes) {
    const outcome = await harness.attempt(config).run();
    const what = JSON.stringify(config);
    if (outcome.ok) return `${what} ended well`;
    if (outcome.kind !== 'APPLICATION') return `${what} is told as ${outcome.kind}: ${JSON.stringify(outcome.reason)}`;
    if (outcome.reason.code !== code) return `${what} is told as ${outcome.reason.code}, and not as ${code}`;
    const wrong = wrongOutcome(outcome);
    if (wrong !== null) return `${what}: ${wrong}`;
  }
  return null;
}

async function isKilled(harness: AttemptHarness, fixtures: RunnerFixtures): Promise<string | null> {
  const attempt = harness.attempt(fixtures.endless);
  const ended = attempt.run();
  await untilBegun(attempt);
  attempt.requestKill();
  return wrongOutcome(await ended);
}

async function endsStubborn(harness: AttemptHarness, { stubborn }: RunnerFixtures): Promise<string | null> {
  if (!stubborn) return null;
  const attempt = harness.attempt(stubborn);
  const ended = attempt.run();
  await untilBegun(attempt);
  attempt.requestStop();
  // As the agent does: some time later.
  await new Promise((resolve) => setTimeout(resolve, 50));
  attempt.requestKill();
  const outcome = await ended;
  return outcome.ok ? 'it ended well' : wrongOutcome(outcome);
}

async function stopsForEveryReason(harness: AttemptHarness, fixtures: RunnerFixtures): Promise<string | null> {
  const reasons: readonly StopReason[] = ['CANCELLED', 'TIMED_OUT', 'PREEMPTED', 'SHUTDOWN'];
  const outcomes = await Promise.all(
    reasons.map(async (reason) => {
      const attempt = harness.attempt(fixtures.endless);
      const ended = attempt.run();
      await untilBegun(attempt);
      attempt.requestStop(reason);
      return { reason, wrong: wrongOutcome(await ended) };
    }),
  );
  const odd = outcomes.find(({ wrong }) => wrong !== null);
  return odd ? `${odd.reason}: ${odd.wrong}` : null;
}

async function namesSignal(harness: AttemptHarness, { signalled }: RunnerFixtures): Promise<string | null> {
  if (!signalled) return null;
  const outcome = await harness.attempt(signalled.config).run();
  if (outcome.ok) return 'it ended well';
  return outcome.signal === signalled.signal ? wrongOutcome(outcome) : `its outcome is ${JSON.stringify(outcome)}`;
}

async function printsInOrder(harness: AttemptHarness, { counts }: RunnerFixtures): Promise<string | null> {
  if (!counts) return null;
  const attempt = harness.attempt(counts.config);
  await attempt.run();
  const lines = attempt.text.split('\n').filter((line) => line !== '');
  const wrong = lines.findIndex((line, at) => Number.parseInt(line, 10) !== at + 1);
  if (wrong >= 0) return `line ${wrong + 1} is "${lines[wrong]}"`;
  return lines.length === counts.upTo ? null : `${lines.length} of ${counts.upTo} lines were printed`;
}

async function leavesInputs(harness: AttemptHarness, fixtures: RunnerFixtures): Promise<string | null> {
  const attempt = harness.attempt(fixtures.succeeds, { inputs: { params: { a: [1] } }, env: { A: '1' } });
  const before = JSON.stringify([attempt.config, attempt.inputs, attempt.env]);
  await attempt.run();
  // Attempts of one task may share a config: what one changes, the next one sees.
  return JSON.stringify([attempt.config, attempt.inputs, attempt.env]) === before ? null : 'they were changed';
}

async function reattaches(harness: AttemptHarness, fixtures: RunnerFixtures): Promise<string | null> {
  if (!harness.plugin.reattach || !fixtures.checkpoints) return null;
  const attempt = harness.attempt(fixtures.checkpoints);
  const ended = await attempt.run();
  const handle = attempt.checkpoints.at(-1);
  if (handle === undefined) return 'it kept no checkpoint';
  if (!ended.ok) return `it failed: ${JSON.stringify(ended.reason)}`;
  // The work has ended and was cleared away: to say so is an outcome, too.
  const again = harness.attempt(fixtures.checkpoints, { id: attempt.id });
  return wrongOutcome(await again.reattach(handle));
}

async function detects({ plugin, node }: AttemptHarness): Promise<string | null> {
  if (!plugin.detect) return null;
  const { health, reason, capacity = {}, attributes = {} } = await plugin.detect(new AbortController().signal, node);
  if (!['HEALTHY', 'UNHEALTHY', 'ABSENT'].includes(health)) return `its health is ${health}`;
  if (health !== 'HEALTHY' && !reason?.message) return `it is ${health} without a reason`;
  for (const [name, amount] of Object.entries(capacity))
    if (!Number.isSafeInteger(amount) || amount < 0) return `its capacity ${name} is ${amount}`;
  const odd = Object.entries(attributes).find(([, value]) => typeof value !== 'string');
  return odd ? `its attribute ${odd[0]} is no string` : null;
}

async function closes(harness: AttemptHarness, fixtures: RunnerFixtures): Promise<string | null> {
  await harness.plugin.close?.();
  await harness.plugin.close?.();
  const outcome = await harness.attempt(fixtures.succeeds).run();
  return outcome.ok ? null : `used after it was closed, it failed: ${JSON.stringify(outcome.reason)}`;
}

/** Some runners say when they begin; the others are under way after a turn of the event loop. */
function untilBegun(attempt: TestAttempt): Promise<unknown> {
  return Promise.race([attempt.untilStarted(), new Promise((resolve) => setTimeout(resolve, 50))]);
}

/** The functions of a test framework that `describeRunner` needs: Jest, Vitest and node:test have them. */
interface TestFramework {
  describe(name: string, define: () => void): void;
  it(name: string, test: () => Promise<void>): void;
}

/**
 * Describes a runner to the test framework that is running: one test per check.
 *
 * @param fixtures Work for it; a function is asked when the tests run, so that it may name a server that they start.
 */
export function describeRunner(plugin: RunnerPlugin, fixtures: RunnerFixtures | (() => RunnerFixtures)): void {
  const { describe, it } = globalThis as unknown as Partial<TestFramework>;
  if (describe === undefined || it === undefined) {
    throw new Error('describeRunner needs the globals `describe` and `it`: call it in a test file.');
  }
  describe(`the runner ${plugin.name}`, () => {
    for (const { name, run } of runnerChecks) {
      it(name, async () => {
        const used = typeof fixtures === 'function' ? fixtures() : fixtures;
        const harness = new AttemptHarness(plugin, used.settings);
        try {
          const problem = await run(harness, used);
          if (problem !== null) throw new Error(problem);
        } finally {
          await harness.close();
        }
      });
    }
  });
}
