import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { defineRunner, zodConfig, type Attempt, type Json, type Outcome } from '@gantry/plugin-kit/runner';
import * as z from 'zod';

const config = z
  .strictObject({
    outcome: z
      .enum(['succeed', 'fail', 'reject', 'oom', 'lose', 'unknown', 'throw', 'hang', 'forget', 'nonsense'])
      .default('succeed')
      .describe('How every attempt ends, unless `failFirst` says otherwise.'),
    durationMs: z.number().int().min(0).max(86_400_000).default(0).describe('How long the work takes. Milliseconds.'),
    failFirst: z.number().int().min(0).default(0).describe('So many attempts fail before `outcome` holds.'),
    exitCode: z.number().int().min(1).max(255).default(1).describe('What `fail` exits with.'),
    outputs: z.record(z.string(), z.json()).default({}).describe('What a success hands downstream.'),
    logLines: z.number().int().min(0).max(10_000_000).default(0).describe('Lines printed before the end.'),
    logLine: z
      .string()
      .max(65_536)
      .default('Lorem ipsum dolor sit amet.')
      .describe('What each of them says, behind its number.'),
    ignoreStop: z.boolean().default(false).describe('Does not end when it is asked to; only the hard stop ends it.'),
    steps: z
      .number()
      .int()
      .min(0)
      .max(1_000)
      .default(0)
      .describe('Tells its progress, in so many steps, evenly over `durationMs`.'),
    usage: z
      .strictObject({ peakMemoryBytes: z.number().int().min(0).optional(), cpuMs: z.number().int().min(0).optional() })
      .optional()
      .describe('What it says that it used up.'),
    save: z.json().optional().describe('What it saves for the next attempt, which prints it.'),
    idempotent: z.boolean().default(true).describe('Whether it says that its work may be done twice.'),
    checkpoint: z.boolean().default(false).describe('Asks to be found again after a restart of the agent.'),
  })
  .describe('What the mock runner is ordered to do.');
type Order = z.output<typeof config>;

/** Resolved once: the no-op of the benchmarks costs no promise of its own. */
const DONE: Promise<Outcome> = Promise.resolve({ ok: true, outputs: {} });

/** After Nomad's mock driver: every way in which work can go wrong, ordered by the task itself. */
export default defineRunner<Order, Json>({
  name: 'mock',
  version: '1.0.0',
  summary: 'Does nothing, in every way that a task can be ordered to: for tests, demonstrations and benchmarks.',
  config: zodConfig(config),
  isIdempotent: ({ idempotent }) => idempotent,

  run(attempt) {
    const order = attempt.config;
    const isPlain =
      order.outcome === 'succeed' &&
      order.durationMs === 0 &&
      order.logLines === 0 &&
      order.failFirst === 0 &&
      order.usage === undefined &&
      order.save === undefined &&
      order.steps === 0 &&
      !order.checkpoint;
    if (!isPlain) return measured(obey(attempt, order), order);
    for (const _ in order.outputs) return Promise.resolve({ ok: true, outputs: order.outputs });
    return DONE;
  },

  /** What it did is gone with the agent, and nothing was left behind: it is done again from the start. */
  reattach(attempt, handle) {
    const order = config.safeParse(handle);
    if (order.success) return measured(obey(attempt, order.data), order.data);
    const message = 'The handle is no order of this runner: nobody knows what was done.';
    return Promise.resolve(failure('UNKNOWN', 'HANDLE_UNKNOWN', message));
  },
});

/** The outcome with what it is to have used up. */
async function measured(settled: Promise<Outcome>, { usage }: Order): Promise<Outcome> {
  const outcome = await settled;
  if (usage === undefined || typeof outcome !== 'object') return outcome;
  const { peakMemoryBytes, cpuMs } = usage;
  const told = {
    ...(peakMemoryBytes === undefined ? {} : { peakMemoryBytes }),
    ...(cpuMs === undefined ? {} : { cpuMs }),
  };
  return { ...outcome, usage: told };
}

async function obey(attempt: Attempt<Order, Json>, order: Order): Promise<Outcome> {
  const outcome = attempt.number <= order.failFirst ? 'fail' : order.outcome;
  // What is rejected has never begun, nor has what was stopped before.
  if (outcome !== 'reject' && (order.ignoreStop || !attempt.stop.aborted)) attempt.started();
  if (order.checkpoint) await attempt.checkpoint(order as Json);
  if (attempt.previousState !== null) attempt.stdout.write(`after ${JSON.stringify(attempt.previousState)}\n`);
  if (order.save !== undefined) await attempt.saveState(order.save);
  const end = order.ignoreStop ? attempt.kill : AbortSignal.any([attempt.stop, attempt.kill]);
  const wasStopped =
    (await print(attempt, order, end)) ||
    (await work(attempt, order, outcome === 'hang' ? null : order.durationMs, end));
  if (wasStopped && outcome !== 'forget') return failure('APPLICATION', 'STOPPED', 'It was asked to stop, and did.');
  switch (outcome) {
    case 'succeed':
      return { ok: true, outputs: order.outputs };
    case 'fail':
      return {
        ...failure('APPLICATION', 'EXIT_CODE', `It was ordered to fail with exit code ${order.exitCode}.`),
        exitCode: order.exitCode,
      };
    case 'reject':
      return failure('REJECTED', 'REJECTED', 'It was ordered to reject the work.');
    case 'oom':
      return {
        ...failure('OOM', 'OUT_OF_MEMORY', 'It was ordered to run out of memory.'),
        exitCode: 137,
        signal: 'SIGKILL',
      };
    case 'lose':
      return failure('INFRASTRUCTURE', 'LOST', 'It was ordered to be lost.');
    case 'unknown':
      return failure('UNKNOWN', 'UNKNOWN', 'It was ordered not to know what it did.');
    case 'throw':
      throw new Error('It was ordered to throw.');
    case 'forget':
      return new Promise(() => undefined);
    case 'nonsense':
      return 'nonsense' as unknown as Outcome;
    case 'hang':
      return failure('APPLICATION', 'STOPPED', 'It hung until it was stopped.');
    default:
      return outcome satisfies never;
  }
}

type Failed = Extract<Outcome, { ok: false }>;
const failure = (kind: Failed['kind'], code: string, message: string): Failed => ({
  ok: false,
  kind,
  reason: { code, message },
});

/** Prints as fast as it is read. True when the signal came first. */
async function print({ stdout }: Attempt, { logLines, logLine }: Order, signal: AbortSignal): Promise<boolean> {
  for (let line = 1; line <= logLines; line++) {
    if (stdout.write(`${line} ${logLine}\n`)) continue;
    if (signal.aborted) return true;
    const hasRoom = await once(stdout, 'drain', { signal }).then(
      () => true,
      () => false,
    );
    if (!hasRoom) return true;
  }
  return false;
}

/** True when the signal came first. */
async function work(attempt: Attempt, { steps }: Order, ms: number | null, signal: AbortSignal): Promise<boolean> {
  for (let done = 1; done <= steps; done++) {
    if (await pause((ms ?? 0) / steps, signal)) return true;
    attempt.progress({ done, total: steps, message: `step ${done}` });
  }
  return pause(ms === null ? null : steps > 0 ? 0 : ms, signal);
}

/** True when the signal came first. Without a time it waits for the signal alone. */
async function pause(ms: number | null, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return true;
  if (ms === null) {
    await once(signal, 'abort');
    return true;
  }
  return ms === 0 ? false : delay(ms, false, { signal }).catch(() => true);
}
