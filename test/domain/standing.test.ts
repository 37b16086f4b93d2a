import { describe, expect, it } from '@jest/globals';
import { standingOf, type Need } from '../../server/domain/standing.ts';
import type { RunState } from '../../server/domain/run.ts';
import { anAttempt, aTaskRun } from '../store/rows.ts';

describe('where a task run stands', () => {
  const need = (taskKey: string, state: Need['state'], isFinished = false): Need => ({ taskKey, state, isFinished });
  const standing = (overrides: Parameters<typeof aTaskRun>[2], needs: Need[] = [], state: RunState = 'RUNNING') =>
    standingOf(aTaskRun(1, 0, overrides), { state }, needs, overrides?.attempt?.failure?.reason ?? null);

  it('names every task that it still needs', () => {
    const needs = [need('a', 'RUNNING'), need('b', 'SUCCEEDED', true), need('c', 'SUCCEEDED'), need('d', null)];
    expect(standing({ state: 'WAITING' }, needs)).toEqual({
      verdict: 'WAITING',
      tier: 'NEEDS',
      summary: { code: 'NEED_UNMET', message: 'It needs a, which is RUNNING. And 2 more.' },
      reasons: [
        { code: 'NEED_UNMET', message: 'It needs a, which is RUNNING.' },
        { code: 'NEED_UNMET', message: 'It needs c, which has instances that have not ended.' },
        { code: 'NEED_UNMET', message: 'It needs d, which has not ended.' },
      ],
    });
  });

  it('says that its run is paused, before anything else', () => {
    expect(standing({ state: 'WAITING' }, [need('a', 'READY')], 'PAUSED')).toMatchObject({
      tier: 'PAUSE',
      summary: { message: 'Its run is paused. And 1 more.', remedy: 'Resume the run.' },
    });
    expect(standing({ state: 'BLOCKED' })).toMatchObject({ verdict: 'WAITING', tier: 'PAUSE' });
  });

  it('says when it is tried again, and after what', () => {
    const failure = { kind: 'APPLICATION', reason: { code: 'EXIT_CODE', message: 'exited with code 1.' } } as const;
    const attempt = anAttempt({ state: 'FAILED', failure });
    expect(standing({ state: 'BACKOFF', dueAt: 0, attempt }).summary.message).toBe(
      'It is tried again at 1970-01-01T00:00:00.000Z. Attempt 1 failed: exited with code 1.',
    );
  });

  it('says where it is, and where it has been', () => {
    expect(standing({ state: 'READY' })).toMatchObject({ verdict: 'PENDING', tier: null });
    expect(standing({ state: 'RUNNING', attempt: anAttempt() })).toMatchObject({
      verdict: 'PLACED',
      summary: { message: 'It is on node node-1, with attempt 1.' },
    });
    expect(standing({ state: 'SUCCEEDED', attempt: anAttempt() }).summary.message).toBe(
      'It is SUCCEEDED; attempt 1 was on node node-1.',
    );
    const why = { code: 'UPSTREAM_FAILED', message: 'The task a, which it needs, failed.', remedy: 'Mend it.' };
    const ended = aTaskRun(1, 0, { state: 'UPSTREAM_FAILED' });
    expect(standingOf(ended, { state: 'RUNNING' }, [need('a', 'FAILED', true)], why)).toMatchObject({
      summary: {
        message: 'It is UPSTREAM_FAILED and was never placed. The task a, which it needs, failed.',
        remedy: 'Mend it.',
      },
      reasons: [why],
    });
  });

  it('says that a node rejected it, and what would help', () => {
    const reason = { code: 'SECRET_MISSING', message: 'The node has no secret KEY.', remedy: 'Put it there.' };
    const attempt = anAttempt({ state: 'REJECTED', failure: { kind: 'INFRASTRUCTURE', reason } });
    expect(standing({ state: 'BACKOFF', dueAt: 0, attempt }).summary).toMatchObject({
      message:
        'It is tried again at 1970-01-01T00:00:00.000Z. Attempt 1 was rejected by node node-1: The node has no secret KEY.',
      remedy: 'Put it there.',
    });
  });
});
