import { describe, expect, it } from '@jest/globals';
import type { AttemptSpec } from '../../server/domain/effect.ts';
import { attemptId, runId, type AttemptId } from '../../server/domain/ids.ts';
import { NodeSession } from '../../server/dispatch/session.ts';
import type { Hint } from '../../server/protocol/gateway.ts';

const run = runId('r');
const spec = (ordinal: number): AttemptSpec => ({
  attempt: attemptId(run, ordinal, 1),
  number: 1,
  run,
  pipeline: 'p',
  taskKey: `t${ordinal}`,
  mapIndex: null,
  runner: 'mock',
  with: {},
  env: {},
  secrets: [],
  inputs: {},
  resources: {},
  gpus: [],
  timeoutMs: null,
  killGraceMs: 0,
});
const known = (attempt: AttemptId, state: 'RUNNING' | 'SUCCEEDED') => ({ attempt, state, at: 0 });

describe('the answer to a sync', () => {
  it('assigns what the node should run and did not name, however often it is asked', () => {
    const session = new NodeSession();
    session.perform([
      { type: 'ASSIGN', node: 'n', spec: spec(0) },
      { type: 'ASSIGN', node: 'n', spec: spec(1) },
    ]);
    const answer = session.answer(7, [known(spec(0).attempt, 'RUNNING')]);
    expect(answer).toEqual({ status: 'OK', seq: 7, assign: [spec(1)], stop: [], forget: [] });
    expect(session.answer(8, []).assign).toHaveLength(2);
  });

  it('stops what the engine has given up, and forgets what has ended durably', () => {
    const session = new NodeSession();
    const answer = session.answer(1, [known(spec(0).attempt, 'RUNNING'), known(spec(1).attempt, 'SUCCEEDED')]);
    expect(answer.stop).toEqual([{ attempt: spec(0).attempt, cause: 'CANCELLED' }]);
    expect(answer.forget).toEqual([spec(1).attempt]);
  });

  it('repeats a stop until the attempt has ended', () => {
    const session = new NodeSession();
    session.perform([
      { type: 'ASSIGN', node: 'n', spec: spec(0) },
      { type: 'STOP', node: 'n', attempt: spec(0).attempt, cause: 'CANCELLED' },
    ]);
    for (let seq = 1; seq <= 2; seq++) {
      expect(session.answer(seq, [known(spec(0).attempt, 'RUNNING')]).stop).toEqual([
        { attempt: spec(0).attempt, cause: 'CANCELLED' },
      ]);
    }
    expect(session.answer(3, [known(spec(0).attempt, 'SUCCEEDED')]).stop).toEqual([]);
  });
});

describe('a session', () => {
  it('hints at effects in their order, to the latest listener only', () => {
    const session = new NodeSession();
    const heard: Hint['type'][][] = [];
    const end = session.listen(() => heard.push([]));
    session.listen((hints) => heard.push(hints.map(({ type }) => type)));
    end();
    session.perform([
      { type: 'FORGET', node: 'n', attempt: spec(0).attempt },
      { type: 'ASSIGN', node: 'n', spec: spec(1) },
    ]);
    expect(heard).toEqual([['FORGET', 'ASSIGN']]);
  });

  it('lets a node speak only of attempts that it has', () => {
    const session = new NodeSession();
    session.perform([{ type: 'ASSIGN', node: 'n', spec: spec(0) }]);
    expect([session.hasAttempt(spec(0).attempt), session.hasAttempt(spec(1).attempt)]).toEqual([true, false]);
    session.perform([{ type: 'FORGET', node: 'n', attempt: spec(0).attempt }]);
    expect(session.hasAttempt(spec(0).attempt)).toBe(false);
  });
});
