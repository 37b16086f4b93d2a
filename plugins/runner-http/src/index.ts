import { defineRunner, zodConfig, type Outcome } from '@gantry/plugin-kit/runner';
import { httpConfig, type HttpConfig } from './config.ts';
import { closeConnections } from './connections.ts';
import { Exchange } from './exchange.ts';
import { failureOf } from './failure.ts';
import { prepared, type Prepared } from './request.ts';
import { rulesOf, type NodeRules } from './settings.ts';

/** One HTTP request. What the other side does wrong is the task's failure: its retries are what helps against it. */
export default defineRunner<HttpConfig>({
  name: 'http',
  version: '1.0.0',
  summary: 'Makes one HTTP request and hands on what the answer says.',
  config: zodConfig(httpConfig),

  run: (attempt, node) =>
    new Promise<Outcome>((resolve) => {
      try {
        const rules = rulesOf(node);
        new Exchange(attempt, preparedFor(attempt.config, rules), rules, resolve).begin();
      } catch (error) {
        resolve(failureOf(error));
      }
    }),

  close: () => {
    closeConnections();
    return Promise.resolve();
  },
});

/** Attempts of a task without expressions share a config, and so the request. */
const preparedByConfig = new WeakMap<HttpConfig, { readonly rules: NodeRules; readonly request: Prepared }>();
function preparedFor(config: HttpConfig, rules: NodeRules): Prepared {
  const known = preparedByConfig.get(config);
  if (known?.rules === rules) return known.request;
  const request = prepared(config, rules);
  preparedByConfig.set(config, { rules, request });
  return request;
}
