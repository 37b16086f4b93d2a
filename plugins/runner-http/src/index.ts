import { defineRunner, zodConfig, type Outcome, type RunnerNode } from '@gantry/plugin-kit/runner';
import { AddressRules } from './address-rules.ts';
import { httpConfig, httpSettings, type HttpConfig } from './config.ts';
import { Exchange, failureOf } from './exchange.ts';
import { closeConnections, prepared, type Prepared } from './request.ts';

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

const rulesByNode = new WeakMap<RunnerNode, AddressRules>();
function rulesOf(node: RunnerNode): AddressRules {
  let rules = rulesByNode.get(node);
  if (!rules) {
    rules = new AddressRules(httpSettings.parse(node.settings).allow);
    rulesByNode.set(node, rules);
  }
  return rules;
}

/** Attempts of a task without expressions share a config, and so the request. */
const preparedByConfig = new WeakMap<HttpConfig, { readonly rules: AddressRules; readonly request: Prepared }>();
function preparedFor(config: HttpConfig, rules: AddressRules): Prepared {
  const known = preparedByConfig.get(config);
  if (known?.rules === rules) return known.request;
  const request = prepared(config, rules);
  preparedByConfig.set(config, { rules, request });
  return request;
}
