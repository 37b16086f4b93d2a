import { zodConfig } from '@gantry/plugin-kit/config';
import * as z from 'zod';
import type { RunnerChecks } from '../../server/definition/check-runner.ts';
import { parsePipeline, type ParseResult } from '../../server/definition/parse.ts';

const configs = {
  shell: zodConfig(
    z.strictObject({
      command: z.string().min(1).meta({ 'x-literal': true }),
      arguments: z.array(z.string()).optional().meta({ 'x-literal': true }),
      input: z.string().optional(),
    }),
  ),
  http: zodConfig(
    z.strictObject({
      url: z.url(),
      method: z.enum(['GET', 'POST']).optional(),
      headers: z.record(z.string(), z.string()).optional(),
      timeoutSeconds: z.number().optional(),
      query: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
      password: z.string().optional().meta({ 'x-secret': true }),
    }),
  ),
};

function configOf(runner: string): (typeof configs)['shell'] | (typeof configs)['http'] | undefined {
  return Object.hasOwn(configs, runner) ? configs[runner as keyof typeof configs] : undefined;
}

/** Two runners with configs like those of the real ones, checked as a plugin checks them. */
export const runners: RunnerChecks = {
  checkRunner(runner, config) {
    const known = configOf(runner);
    if (known === undefined) {
      const message = `There is no runner “${runner}”.`;
      return [{ code: 'UNKNOWN_RUNNER', message, path: [], remedy: 'There is: shell, http.' }];
    }
    const checked = known.check(config);
    return checked.ok ? [] : checked.problems;
  },
  runnerSchema: (runner) => configOf(runner)?.jsonSchema ?? null,
};

export const parseYaml = (yaml: string): ParseResult => parsePipeline({ yaml }, runners);
export const parseDefinition = (definition: unknown): ParseResult => parsePipeline({ definition }, runners);

/** `line:column CODE path`, one line per problem; empty when there is none. */
export function problemsOf(result: ParseResult): readonly string[] {
  if (result.ok) return [];
  return result.problems.map(({ line, column, code, path }) => `${line}:${column} ${code} ${path.join('.')}`.trim());
}

/** The codes of the problems; empty when there is none. */
export const codesOf = (result: ParseResult): readonly string[] =>
  result.ok ? [] : result.problems.map(({ code }) => code);
