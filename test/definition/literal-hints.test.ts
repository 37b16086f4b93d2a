import { describe, expect, it } from '@jest/globals';
import docker from '@gantry/runner-docker';
import shell from '@gantry/runner-shell';
import type { ConfigSchema } from '@gantry/plugin-kit/config';
import type { Json, Problem } from '@gantry/plugin-kit/vocabulary';
import type { RunnerChecks } from '../../server/definition/check-runner.ts';
import { parsePipeline } from '../../server/definition/parse.ts';

const schemas = new Map<string, ConfigSchema<unknown>>([
  ['shell', shell.config],
  ['docker', docker.config],
]);
const checks: RunnerChecks = {
  checkRunner(runner, config): readonly Problem[] {
    const checked = schemas.get(runner)!.check(config);
    return checked.ok ? [] : checked.problems;
  },
  runnerSchema: (runner): Json => schemas.get(runner)!.jsonSchema,
};

function hintsFor(runner: string, config: object): readonly (string | null | undefined)[] {
  const definition = { name: 'a', params: { log: { type: 'string' } }, tasks: [{ key: 'a', runner, with: config }] };
  const parsed = parsePipeline({ definition }, checks);
  return parsed.ok ? [] : parsed.problems.map(({ suggestion }) => suggestion);
}

describe('data in what is executed is refused with advice that works just there', () => {
  const LOG = '${{ params.log }}';
  const ENV = `Write env: { LOG: ${LOG} } and `;

  it.each<[string, string, object, string]>([
    ['a line of a shell', 'shell', { command: `cat ${LOG}` }, 'use "$LOG" here.'],
    ['a line of a container', 'docker', { image: 'a', command: `cat ${LOG}` }, 'use "$LOG" here.'],
    [
      'a line that a program reads',
      'shell',
      { command: `#!/usr/bin/env node\n${LOG}` },
      'read the environment variable LOG here',
    ],
    ['a script, of whatever language', 'shell', { script: `x ${LOG}` }, 'read the environment variable LOG here'],
    ['a word of argv', 'shell', { argv: ['cat', LOG] }, 'nothing expands its words'],
    ['a word of a container’s command', 'docker', { image: 'a', command: ['cat', LOG] }, 'nothing expands its words'],
    ['a word of an entrypoint', 'docker', { image: 'a', entrypoint: ['cat', LOG] }, 'nothing expands its words'],
  ])('%s', (_, runner, config, words) => {
    const hints = hintsFor(runner, config);
    expect(hints).toEqual([expect.stringContaining(ENV)]);
    expect(hints[0]).toContain(words);
    if (words.startsWith('nothing') || words.startsWith('read')) expect(hints[0]).not.toContain('use "$LOG" here');
  });
});
