import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Json, JsonObject } from '@gantry/plugin-kit/runner';
import { AttemptHarness, type TestAttempt } from '@gantry/plugin-kit/testing';
import http from '../src/index.ts';
import { JobService, json } from './job-service.ts';

let service: JobService;
/** Another origin. */
let other: JobService;
let harness: AttemptHarness;
beforeAll(async () => {
  service = await new JobService().listen();
  other = await new JobService().listen();
  harness = new AttemptHarness(http, { allow: ['127.0.0.0/8'] });
});
afterAll(async () => {
  await harness.close();
  service.close();
  other.close();
});

const accepted = json({ id: 7 }, 202, { location: '/jobs/7' });
const running = json({ state: 'RUNNING' });
const done = json({ state: 'DONE', result: { rows: 3 } });
const isDone = { jsonPointer: '/state', equals: 'DONE' };
const poll = { url: { header: 'Location' }, interval: '50ms', factor: 1, until: isDone };

function job(config: JsonObject, polling: JsonObject = {}, id?: string): TestAttempt {
  const whole = {
    url: `${service.url}/jobs`,
    method: 'POST',
    json: { n: 1 },
    poll: { ...poll, ...polling },
    ...config,
  };
  return harness.attempt(whole, id === undefined ? {} : { id });
}
const failed = (code: string) => ({ ok: false, kind: 'APPLICATION', reason: { code } });
const says = (part: string) => ({ reason: { message: expect.stringContaining(part) as unknown } });

describe('a job', () => {
  it('is submitted once and asked for until it has ended; its outputs are of its end, or of its beginning', async () => {
    service.answers({ 'POST /jobs': [accepted], 'GET /jobs/7': [running, running, done] });
    const outputs = { rows: { jsonPointer: '/result/rows' }, id: { jsonPointer: '/id', from: 'request' } };
    const attempt = job({ outputs });
    expect(await attempt.run()).toEqual({ ok: true, outputs: { status: 200, rows: 3, id: 7 } });
    expect(service.asked).toEqual(['POST /jobs', 'GET /jobs/7', 'GET /jobs/7', 'GET /jobs/7']);
    expect(service.seen[0]!.headers).toHaveProperty('idempotency-key');
    expect(service.seen[1]!.headers).not.toHaveProperty('idempotency-key');
    expect(attempt.text).toBe('{"id":7}\n{"state":"DONE","result":{"rows":3}}\n');
  });

  it('is found by a value of the answer within a URL, which cannot lead elsewhere', async () => {
    service.answers({ 'POST /jobs': [json({ id: 'a/b?c' }, 201)], 'GET /jobs/a%2Fb%3Fc/state': [done] });
    expect(await job({}, { url: '/jobs/{/id}/state' }).run()).toMatchObject({ ok: true });
    service.answers({ 'POST /jobs': [json({ id: '..' }, 201)] });
    // It has been begun, and nobody follows it.
    const unknown = { ...failed('BAD_URL'), kind: 'UNKNOWN' };
    expect(await job({}, { url: '/jobs/{/id}/state' }).run()).toMatchObject(unknown);
    const config = { url: 'http://x', poll: { ...poll, url: 'http://{/host}/' } };
    expect(http.config.check(config)).toMatchObject({ ok: false, problems: [{ path: ['poll', 'url'] }] });
  });

  it('fails as it says itself, and is not cancelled then', async () => {
    service.answers({ 'POST /jobs': [accepted], 'GET /jobs/7': [running, json({ state: 'BROKEN', why: 'no disk' })] });
    const failWhen = { jsonPointer: '/state', in: ['BROKEN', 'LOST'] };
    const outcome = await job({ cancel: { url: { header: 'Location' } } }, { failWhen }).run();
    expect(outcome).toMatchObject({ ...failed('JOB_FAILED'), ...says('no disk') });
    expect(service.asked).not.toContain('DELETE /jobs/7');
  });

  it('tells how far it is', async () => {
    const at = (count: number) => json({ state: 'RUNNING', done: count, total: 8, share: count / 8, step: 'sorting' });
    const script = { 'POST /jobs': [accepted], 'GET /jobs/7': [at(2), running, at(6), done] };
    service.answers(script);
    const counted = job({}, { progress: { jsonPointer: '/done', of: { jsonPointer: '/total' }, message: '/step' } });
    expect(await counted.run()).toMatchObject({ ok: true });
    const message = 'sorting';
    expect(counted.progressed).toEqual([
      { fraction: 0.25, done: 2, total: 8, message },
      { fraction: 0.75, done: 6, total: 8, message },
    ]);
    service.answers(script);
    const shared = job({}, { progress: '/share' });
    expect(await shared.run()).toMatchObject({ ok: true });
    expect(shared.progressed.map(({ fraction }) => fraction)).toEqual([0.25, 0.75]);
  });

  it('is asked for again when a poll fails in passing, but not for ever', async () => {
    const away = json('away', 503);
    service.answers({
      'POST /jobs': [accepted],
      'GET /jobs/7': [away, (response) => response.socket!.destroy(), (response) => response.end('<html>'), done],
    });
    expect(await job({}, { maxFailures: 3 }).run()).toMatchObject({ ok: true });
    service.answers({ 'POST /jobs': [accepted], 'GET /jobs/7': [away], 'DELETE /jobs/7': [json(null, 204)] });
    const outcome = await job({ cancel: { url: { header: 'Location' } } }, { maxFailures: 2 }).run();
    expect(outcome).toMatchObject({ ...failed('POLL_FAILED'), ...says('the job was cancelled') });
    expect(service.asked.filter((asked) => asked === 'GET /jobs/7')).toHaveLength(3);
  });

  it('is given up at once when a poll’s answer will not change', async () => {
    service.answers({ 'POST /jobs': [accepted], 'GET /jobs/7': [json('who is that', 404)] });
    expect(await job({}).run()).toMatchObject({
      ...failed('UNEXPECTED_STATUS'),
      kind: 'UNKNOWN',
      ...says('left to itself'),
    });
    expect(service.asked).toEqual(['POST /jobs', 'GET /jobs/7']);
  });

  it('fails when the answer does not say where it is', async () => {
    service.answers({ 'POST /jobs': [json({ id: 7 }, 202)] });
    expect(await job({}).run()).toMatchObject({ ...failed('BAD_URL'), kind: 'UNKNOWN', ...says('poll.url') });
  });
});

describe('a job whose attempt is stopped', () => {
  const cancel = { url: '/jobs/{/id}/cancel', method: 'POST', json: { why: 'stopped' } };

  it('is cancelled', async () => {
    service.answers({
      'POST /jobs': [accepted],
      'GET /jobs/7': [running],
      'POST /jobs/7/cancel': [json({ state: 'CANCELLED' })],
    });
    const attempt = job({ cancel });
    const polled = service.untilAsked('GET /jobs/7');
    const ended = attempt.run();
    await polled;
    attempt.requestStop();
    expect(await ended).toMatchObject({ ...failed('STOPPED'), ...says('the job was cancelled') });
    expect(service.seen.at(-1)).toMatchObject({ path: '/jobs/7/cancel', body: '{"why":"stopped"}' });
  });

  it('is cancelled also when the stop comes while it is being submitted', async () => {
    let release: () => void = () => undefined;
    service.answers({
      'POST /jobs': [(response) => (release = () => accepted(response))],
      'POST /jobs/7/cancel': [json({ state: 'CANCELLED' })],
    });
    const attempt = job({ cancel });
    const submitted = service.untilAsked('POST /jobs');
    const ended = attempt.run();
    await submitted;
    attempt.requestStop();
    release();
    expect(await ended).toMatchObject(says('the job was cancelled'));
    expect(service.asked).toEqual(['POST /jobs', 'POST /jobs/7/cancel']);
  });

  it('is not submitted when the stop comes before', async () => {
    service.answers({ 'POST /jobs': [accepted] });
    const attempt = job({ cancel });
    const ended = attempt.run();
    attempt.requestStop();
    expect(await ended).toMatchObject(says('nothing was submitted'));
    expect(service.asked).toEqual([]);
  });

  it('is told not to have been cancelled when the call for it fails, or takes too long', async () => {
    const script = { 'POST /jobs': [accepted], 'GET /jobs/7': [running] };
    service.answers({ ...script, 'POST /jobs/7/cancel': [json('no', 409)] });
    const refused = job({ cancel });
    let polled = service.untilAsked('GET /jobs/7');
    let ended = refused.run();
    await polled;
    refused.requestStop();
    expect(await ended).toMatchObject(says('could not be cancelled: The answer was 409'));

    service.answers({ ...script, 'POST /jobs/7/cancel': [() => undefined] });
    const hanging = job({ cancel });
    polled = service.untilAsked('GET /jobs/7');
    const cancelling = service.untilAsked('POST /jobs/7/cancel');
    ended = hanging.run();
    await polled;
    hanging.requestStop();
    await cancelling;
    hanging.requestKill();
    expect(await ended).toMatchObject(says('whether the job was cancelled is not known'));
  });
});

describe('a job whose agent is restarted', () => {
  /** The attempt of an agent that is gone: it has kept its handles, and does nothing more. */
  async function begun(config: JsonObject, id: string): Promise<Json> {
    const attempt = job(config, { interval: '1h', maxInterval: '1h' }, id);
    const submitted = service.untilAsked('POST /jobs');
    const ended = attempt.run();
    await submitted;
    while (attempt.checkpoints.length < 2) await new Promise((resolve) => setImmediate(resolve));
    attempt.requestStop();
    await ended;
    expect(attempt.checkpoints[0]).toEqual({ phase: 'SUBMITTING', until: null });
    return attempt.checkpoints.at(-1)!;
  }

  it('is followed on, and not submitted again', async () => {
    service.answers({ 'POST /jobs': [accepted], 'GET /jobs/7': [running, done] });
    const config = { outputs: { id: { jsonPointer: '/id', from: 'request' } }, headers: { 'x-api-key': 'secret' } };
    const handle = await begun(config, 'run.1.1');
    expect(JSON.stringify(handle)).not.toContain('secret');
    expect(await job(config, {}, 'run.1.1').reattach(handle)).toMatchObject({ ok: true, outputs: { id: 7 } });
    expect(service.asked).toEqual(['POST /jobs', 'GET /jobs/7', 'GET /jobs/7']);
    expect(service.seen.at(-1)!.headers).toMatchObject({ 'x-api-key': 'secret' });
  });

  it('is submitted again only by a request that may be sent twice, with the same key', async () => {
    service.answers({ 'POST /jobs': [accepted], 'GET /jobs/7': [done] });
    const unknown = await job({}, {}, 'run.2.1').reattach({ phase: 'SUBMITTING', until: null });
    expect(unknown).toMatchObject({ ok: false, kind: 'UNKNOWN', reason: { code: 'SUBMISSION_UNKNOWN' } });
    expect(service.asked).toEqual([]);
    const again = await job({ idempotencyKey: true }, {}, 'run.2.1').reattach({ phase: 'SUBMITTING', until: null });
    expect(again).toMatchObject({ ok: true });
    expect(service.seen[0]!.headers).toMatchObject({ 'idempotency-key': 'run.2' });
  });

  it('is not guessed from a handle that cannot be read', async () => {
    const outcome = await job({}, {}, 'run.3.1').reattach({ phase: 'WAITING' });
    expect(outcome).toMatchObject({ ok: false, kind: 'UNKNOWN', reason: { code: 'HANDLE_UNREADABLE' } });
  });
});

describe('a job that its service leads elsewhere', () => {
  it('is asked for without anything of the task’s, unless the task itself wrote where', async () => {
    const away = json({}, 202, { location: `${other.url}/jobs/7` });
    const headers = { authorization: 'Bearer x', accept: 'application/json' };
    service.answers({ 'POST /jobs': [away] });
    other.answers({ 'GET /jobs/7': [done] });
    expect(await job({ headers }, { headers: { 'x-poll': 'y' } }).run()).toMatchObject({ ok: true });
    expect(other.seen[0]!.headers).toMatchObject({ accept: 'application/json' });
    for (const name of ['authorization', 'x-poll']) expect(other.seen[0]!.headers).not.toHaveProperty(name);

    other.answers({ 'GET /jobs/7': [done] });
    const written = { url: `${other.url}/jobs/7`, headers: { 'x-poll': 'y' } };
    expect(await job({ headers }, written).run()).toMatchObject({ ok: true });
    expect(other.seen[0]!.headers).toMatchObject({ 'x-poll': 'y' });
    expect(other.seen[0]!.headers).not.toHaveProperty('authorization');
  });

  it.each(['http://10.0.0.1/jobs/7', 'http://[::1]/', 'http://169.254.169.254/', 'file:///etc/passwd'])(
    'is not asked for where the node does not let it: %s',
    async (location) => {
      service.answers({ 'POST /jobs': [json({}, 202, { location })] });
      expect(await job({}).run()).toMatchObject({
        ok: false,
        reason: { code: expect.stringMatching(/^(ADDRESS_NOT_ALLOWED|BAD_URL)$/) as unknown },
      });
    },
  );
});

describe('the condition of a job', () => {
  it.each<[JsonObject, boolean]>([
    [{ status: 200 }, true],
    [{ status: ['3xx', 201] }, false],
    [{ jsonPointer: '/result', equals: { rows: 3 } }, true],
    [{ jsonPointer: '/result/rows', equals: '3' }, false],
    [{ jsonPointer: '/result/rows', in: [1, 3] }, true],
    [{ jsonPointer: '/error', exists: false }, true],
    [{ jsonPointer: '/error', exists: true }, false],
    [{ jsonPointer: '/error', equals: null }, false],
    [{ status: 404, jsonPointer: '/state', equals: 'DONE' }, false],
  ])('%j: %p', async (until, isMet) => {
    service.answers({ 'POST /jobs': [accepted], 'GET /jobs/7': [done, json('gone', 410)] });
    expect((await job({}, { until }).run()).ok).toBe(isMet);
  });

  it.each<JsonObject>([
    {},
    { equals: 1 },
    { jsonPointer: '/a' },
    { jsonPointer: '/a', equals: 1, exists: true },
    { jsonPointer: 'a', exists: true },
    { status: 42 },
  ])('is refused: %j', (until) => {
    expect(http.config.check({ url: 'http://x', poll: { ...poll, until } }).ok).toBe(false);
  });
});
