import { defineRunner, zodConfig, type Attempt, type Outcome, type RunnerNode } from '@gantry/plugin-kit/runner';
import { Call } from './call.ts';
import { httpConfig, type HttpConfig } from './config.ts';
import { closeConnections } from './connections.ts';
import { failure, failureOf } from './failure.ts';
import { outputsOf, readsBody } from './outputs.ts';
import { prepared, type Prepared } from './request.ts';
import { rulesOf, type NodeRules } from './settings.ts';
import { callOptions } from './task-call.ts';

/** One HTTP request. What the other side does wrong is the task's failure: its retries are what helps against it. */
export default defineRunner<HttpConfig>({
  name: 'http',
  version: '1.0.0',
  summary: 'Makes one HTTP request and hands on what the answer says.',
  config: zodConfig(httpConfig),

  run: (attempt, node) =>
    new Promise<Outcome>((resolve) => {
      try {
        request(attempt, node, resolve);
      } catch (error) {
        resolve(failureOf(error));
      }
    }),

  close: () => {
    closeConnections();
    return Promise.resolve();
  },
});

function request(attempt: Attempt<HttpConfig>, node: RunnerNode, settle: (outcome: Outcome) => void): void {
  const { config, stop } = attempt;
  const rules = rulesOf(node);
  const stopped = () => settle(failure('STOPPED', 'The request was stopped.'));
  if (stop.aborted) return stopped();
  const options = callOptions(attempt, rules, { print: attempt.stdout, wantsBody: readsBody(config) });
  const call = new Call(preparedFor(config, rules), options, (ended) =>
    settle(ended.ok ? outputsOf(config, ended.answer) : ended),
  );
  stop.addEventListener(
    'abort',
    () => {
      call.drop();
      stopped();
    },
    { once: true },
  );
  call.begin();
}

/** Attempts of a task without expressions share a config, and so the request. */
const preparedByConfig = new WeakMap<HttpConfig, { readonly rules: NodeRules; readonly request: Prepared }>();
function preparedFor(config: HttpConfig, rules: NodeRules): Prepared {
  const known = preparedByConfig.get(config);
  if (known?.rules === rules) return known.request;
  const request = prepared(config, rules);
  preparedByConfig.set(config, { rules, request });
  return request;
}
