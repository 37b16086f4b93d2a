import { describe, expect, it } from '@jest/globals';
import { DEFAULT_SILENCE } from '../../server/engine/core/pool-state.ts';
import { restore } from '../../server/engine/core/restore.ts';
import type { RecoveredPool } from '../../server/domain/input.ts';
import { aDefinition, aTask } from '../support/builders.ts';
import { Scenario } from './scenario.ts';

const HOUR_MS = 3_600_000;
const RETRY_MS = 6_000;

/** One task that has failed and waits six seconds for its retry. */
function waiting() {
  const scenario = new Scenario();
  const retry = { max: 3, backoff: 'constant', delayMs: RETRY_MS, maxDelayMs: RETRY_MS } as const;
  const definition = aDefinition([aTask('a', { retry })]);
  const run = scenario.trigger(definition);
  scenario.place();
  scenario.fail(run, 'a');
  expect(scenario.states(run)).toEqual({ a: 'BACKOFF' });
  return { scenario, run, definition };
}

describe.each([
  ['back', -HOUR_MS],
  ['forward', HOUR_MS],
])('a clock that is set an hour %s', (_, byMs) => {
  it('neither holds a retry back nor lets it go early', () => {
    const { scenario, run } = waiting();
    scenario.setTheClock(byMs);
    scenario.pass(RETRY_MS - 1);
    expect(scenario.states(run)).toEqual({ a: 'BACKOFF' });
    scenario.pass(1);
    expect(scenario.states(run)).toEqual({ a: 'READY' });
  });

  it('loses no node, and hides the silence of none', () => {
    const scenario = new Scenario();
    const connection = () => scenario.pool.nodes.get('n1')!.connection;
    scenario.setTheClock(byMs);
    scenario.step();
    expect(connection()).toBe('READY');
    // The engine looks every second, as it does when nothing happens.
    for (let second = 0; second < DEFAULT_SILENCE.lostMs / 1_000; second++) {
      expect(connection()).not.toBe('LOST');
      scenario.now += 1_000;
      scenario.step();
    }
    expect(connection()).toBe('LOST');
  });

  it('lets a gang wait for as long as it may', () => {
    const scenario = new Scenario();
    const rules = { require: [], prefer: [], perNode: null, exclusive: false, spread: null, near: null };
    const definition = aDefinition([
      aTask('g', { forEach: [1, 2], placement: { ...rules, gang: { timeoutMs: 60_000 } } }),
    ]);
    const run = scenario.trigger(definition);
    scenario.setTheClock(byMs);
    scenario.pass(59_999);
    expect(scenario.states(run)).toEqual({ 'g[0]': 'READY', 'g[1]': 'READY' });
    scenario.pass(1);
    expect(scenario.states(run)).toEqual({ 'g[0]': 'FAILED', 'g[1]': 'FAILED' });
  });

  it('is forgiven after a restart: a retry waits no longer than its policy says', () => {
    const { scenario, run, definition } = waiting();
    const recovered: RecoveredPool = {
      nodes: [...scenario.pool.nodes.values()],
      runs: [{ run: scenario.run(run), definition, taskRuns: scenario.run(run).taskRuns }],
      assigned: [],
      gpus: [],
    };
    const { pool } = restore('default', recovered, 9, { at: scenario.now + byMs, tick: 500 }, DEFAULT_SILENCE);
    const retries: number[] = [];
    for (let tick = 500; tick <= 500 + HOUR_MS; tick += 1_000)
      for (let due = pool.timers.takeDue(tick); due; due = pool.timers.takeDue(tick))
        if (due.type === 'BACKOFF') retries.push(tick - 500);
    expect(retries).toEqual([byMs < 0 ? RETRY_MS : 0]);
  });
});
