import { defineRunner, zodConfig, type Attempt, type Outcome, type RunnerNode } from '@gantry/plugin-kit/runner';
import { Call, mayBeRepeated } from './call.ts';
import { closeListeners } from './callback-listener.ts';
import { httpConfig, type HttpConfig } from './config.ts';
import { closeConnections } from './connections.ts';
import { failure, failureOf, notBegun, unknownOutcome } from './failure.ts';
import { jobHandle, type JobHandle } from './job-handle.ts';
import { Job, unreadable } from './job.ts';
import { outputsOf, readsBody } from './outputs.ts';
import { prepared, type Prepared } from './request.ts';
import { rulesOf, type NodeRules } from './settings.ts';
import { callOptions, isKeyHeeded } from './task-call.ts';

/**
 * An HTTP request, or a job that one begins. What the other side does wrong is the task's failure: its retries are what
 * helps against it.
 */
export default defineRunner<HttpConfig, JobHandle>({
  name: 'http',
  version: '1.0.0',
  summary: 'Makes an HTTP request and hands on what the answer says, or follows the job that it begins.',
  config: zodConfig(httpConfig),
  isIdempotent: (config) => mayBeRepeated(config.method, { isKeyHeeded: isKeyHeeded(config) }),

  run: (attempt, node) =>
    new Promise<Outcome>((resolve) => {
      try {
        const { poll, callback } = attempt.config;
        if (poll === undefined && callback === undefined) request(attempt, node, resolve);
        else new Job(attempt, node).run().then(resolve, (error) => resolve(failureOf(error)));
      } catch (error) {
        resolve(failureOf(error));
      }
    }),

  reattach: async (attempt, handle, node) => {
    try {
      return await resumed(attempt, handle, node);
    } catch (error) {
      // What keeps the job from being followed does not tell what became of it.
      return { ...failureOf(error), kind: 'UNKNOWN' };
    }
  },

  detect: (_, node) => {
    try {
      const { callback } = rulesOf(node);
      return Promise.resolve({ health: 'HEALTHY', attributes: { callbacks: callback === null ? 'off' : 'on' } });
    } catch (error) {
      return Promise.resolve({ health: 'UNHEALTHY', reason: failureOf(error).reason });
    }
  },

  close: () => {
    closeListeners();
    closeConnections();
    return Promise.resolve();
  },
});

function request(attempt: Attempt<HttpConfig, JobHandle>, node: RunnerNode, settle: (outcome: Outcome) => void): void {
  const { config, stop } = attempt;
  const rules = rulesOf(node);
  if (stop.aborted) return settle(notBegun('nothing was sent'));
  const options = callOptions(attempt, rules, { print: attempt.stdout, wantsBody: readsBody(config) });
  const prepared = preparedFor(config, rules);
  const call = new Call(prepared, options, (ended) =>
    settle(ended.ok ? outputsOf(config, ended.answer) : ended.failure),
  );
  stop.addEventListener(
    'abort',
    () => {
      const stopped = failure('STOPPED', 'The request was stopped.');
      settle(call.drop() ? unknownOutcome(stopped) : stopped);
    },
    { once: true },
  );
  attempt.started();
  call.begin();
}

function resumed(attempt: Attempt<HttpConfig, JobHandle>, handle: unknown, node: RunnerNode): Promise<Outcome> {
  const known = jobHandle.safeParse(handle);
  // Without its config an attempt cannot be followed: it says what its end is.
  if (!known.success || typeof attempt.config !== 'object') return Promise.resolve(unreadable());
  return new Job(attempt, node).resume(known.data);
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
