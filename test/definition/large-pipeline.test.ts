import { describe, expect, it } from '@jest/globals';
import { codesOf, parseDefinition } from './runners.ts';

describe('a large pipeline', () => {
  const shell = { runner: 'shell', with: { command: 'x' } };
  const chain = (length: number): object[] =>
    Array.from({ length }, (_, at) => ({ key: `t${at}`, ...shell, needs: at === 0 ? [] : [`t${at - 1}`] }));

  it('of 100,000 tasks in a chain is taken', () => {
    const result = parseDefinition({ name: 'p', tasks: chain(100_000) });
    expect(result.ok && result.definition.tasks.length).toBe(100_000);
  });

  it('of one task more is refused', () => {
    expect(codesOf(parseDefinition({ name: 'p', tasks: chain(100_001) }))).toEqual(['OUT_OF_RANGE']);
  });

  it('of more than a million needs is refused', () => {
    const sources = Array.from({ length: 1001 }, (_, at) => ({ key: `s${at}`, ...shell }));
    const needs = sources.map(({ key }) => key);
    const tasks = [...sources, ...Array.from({ length: 1000 }, (_, at) => ({ key: `t${at}`, ...shell, needs }))];
    expect(codesOf(parseDefinition({ name: 'p', tasks }))).toEqual(['TOO_LARGE']);
  });

  it('of a circle of 20,000 names the circle in a line', () => {
    const tasks = chain(20_000).with(0, { key: 't0', ...shell, needs: ['t19999'] });
    const result = parseDefinition({ name: 'p', tasks });
    expect(codesOf(result)).toEqual(['CYCLE']);
    expect(result.ok ? 0 : result.problems[0]?.message.length).toBeLessThan(300);
  });

  it('whose tasks all read far away is told to need what they read', () => {
    const tasks = chain(50_000).map((task, at) => ({
      ...task,
      env: at < 25_000 ? {} : { A: `\${{ tasks.t${at - 25_000}.outputs }}` },
    }));
    expect(codesOf(parseDefinition({ name: 'p', tasks }))).toEqual(['TOO_LARGE']);
  });
});
