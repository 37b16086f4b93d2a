import type { JsonObject } from '../vocabulary.ts';
import type { AttemptHarness } from './attempt-harness.ts';
import type { RunnerCheck, RunnerFixtures } from './runner-fixtures.ts';
import { wrongOutcome } from './wrong-outcome.ts';

/** What people put into params, and what attackers do. */
export const hostileChecks: readonly RunnerCheck[] = [
  { name: 'does its work, or says why not, whatever its environment and inputs hold', run: bearsAnything },
  { name: 'does its work however large what Gantry itself hands it may be', run: bearsLargeItems },
  { name: 'hands text on as it is: quotes, line ends, control sequences, scripts', run: echoes },
  { name: 'hands bytes on that are no UTF-8', run: printsBytes },
];

const LARGE = 'x'.repeat(200_000);
const HOSTILE: readonly [what: string, text: string][] = [
  ['NUL', 'a\0b'],
  ['a value of 200 KB', LARGE],
  ['half a surrogate pair', 'a\ud800b'],
  ['control sequences', '\u001b[2J\u001b]0;title\u0007\u0085'],
  ['line ends', '\r\n\n\u2028'],
];

async function bearsAnything(harness: AttemptHarness, { succeeds }: RunnerFixtures): Promise<string | null> {
  const attempts = HOSTILE.flatMap(([what, text]) => {
    const inputs: JsonObject = { params: { [text]: text }, tasks: { a: { outputs: { deep: [[text]] } } } };
    return [
      { what: `${what} in the environment`, attempt: harness.attempt(succeeds, { env: { HOSTILE: text } }) },
      { what: `${what} in the inputs`, attempt: harness.attempt(succeeds, { inputs }) },
    ];
  });
  const wrong = await Promise.all(
    attempts.map(async ({ what, attempt }) => {
      try {
        const problem = wrongOutcome(await attempt.run());
        return problem === null ? null : `with ${what}, ${problem}`;
      } catch (error) {
        return `with ${what} it threw ${String(error)}`;
      }
    }),
  );
  return wrong.find((each) => each !== null) ?? null;
}

/** Nobody asked for these variables: they step aside, and no work fails for them. */
async function bearsLargeItems(harness: AttemptHarness, { succeeds }: RunnerFixtures): Promise<string | null> {
  const params = Array.from({ length: 40 }, (_, at) => [`GANTRY_PARAM_P${at}`, 'p'.repeat(100_000)] as const);
  for (const env of [
    { GANTRY_ITEM: LARGE, GANTRY_INDEX: '0' },
    { GANTRY_PARAM_X: 'a\0b' },
    Object.fromEntries(params),
  ]) {
    const outcome = await harness.attempt(succeeds, { env, inputs: { item: LARGE } }).run();
    if (!outcome.ok) return `${Object.keys(env)[0]} made it fail: ${JSON.stringify(outcome.reason)}`;
  }
  return null;
}

async function echoes(harness: AttemptHarness, { echoes: config }: RunnerFixtures): Promise<string | null> {
  if (!config) return null;
  const texts = [
    `"'\`$(exit 7)\${HOME}\\ %s \\n;&|<>*?~#!`,
    'line 1\r\n\n  line 2\n',
    '\u001b[31mred\u001b[0m \u0007 é 💚 \u2028',
    'y'.repeat(100_000),
  ];
  for (const text of texts) {
    const attempt = harness.attempt(config, { env: { TEXT: text } });
    const outcome = await attempt.run();
    if (!outcome.ok) return `${JSON.stringify(text.slice(0, 40))} made it fail: ${JSON.stringify(outcome.reason)}`;
    if (attempt.text !== text)
      return `of ${JSON.stringify(text.slice(0, 40))} it made ${JSON.stringify(attempt.text.slice(0, 60))}`;
  }
  return null;
}

async function printsBytes(harness: AttemptHarness, { binary }: RunnerFixtures): Promise<string | null> {
  if (!binary) return null;
  const attempt = harness.attempt(binary.config);
  await attempt.run();
  const printed = Buffer.concat(attempt.printed.stdout);
  return printed.equals(binary.bytes) ? null : `it printed ${printed.toString('hex').slice(0, 80)}`;
}
