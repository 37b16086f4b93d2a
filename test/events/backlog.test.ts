import { describe, expect, it } from '@jest/globals';
import { Backlog } from '../../server/events/backlog.ts';
import { decodeCursor, encodeCursor } from '../../server/events/cursor.ts';
import { runEvents } from '../../server/events/expand.ts';
import type { EventBatch } from '../../server/domain/event.ts';

describe('a backlog', () => {
  it('keeps the last item of each key, in the order of their last change', () => {
    const backlog = new Backlog<string>(10);
    for (const [key, item] of [
      ['a', 'a1'],
      ['b', 'b1'],
      ['a', 'a2'],
    ] as const)
      backlog.push(key, item);
    expect(backlog.take()).toEqual({ items: ['b1', 'a2'], overflowed: null });
    expect(backlog.isEmpty).toBe(true);
  });

  it('collapses into its last item when more keys wait than it may hold', () => {
    const backlog = new Backlog<number>(3);
    for (let index = 0; index < 10; index++) backlog.push(`k${index}`, index);
    expect(backlog.take()).toEqual({ items: [], overflowed: 9 });
  });

  it('wakes its reader, also when the signal is aborted', async () => {
    const backlog = new Backlog<number>(3);
    const abort = new AbortController();
    const first = backlog.wait(abort.signal);
    backlog.push('k', 1);
    await first;
    backlog.take();
    const second = backlog.wait(abort.signal);
    abort.abort();
    await second;
  });
});

describe('a cursor', () => {
  it('comes back as it was', () => {
    const places = new Map([
      ['default', { seq: 3, index: 7 }],
      ['gpu', { seq: 1, index: 0 }],
    ]);
    expect(decodeCursor(encodeCursor(places))).toEqual(places);
  });

  it.each([
    '',
    'nonsense',
    'bnVsbA',
    Buffer.from('[["a",-1,0]]').toString('base64url'),
    Buffer.from('[[1,2,3]]').toString('base64url'),
  ])('that nobody made is refused: %s', (text) => {
    expect(decodeCursor(text)).toBe(null);
  });
});

describe('the events of a batch', () => {
  const batch: EventBatch = {
    pool: 'default',
    seq: 1,
    at: 0,
    runs: [
      ['done', 'p', 'SUCCEEDED', 1],
      ['new', 'p', 'RUNNING', 1],
      ['same', 'q', 'RUNNING', 0],
    ],
    taskRuns: [
      [0, 3, 'SUCCEEDED', 1],
      [1, 0, 'ASSIGNED', 1],
      [2, 1, 'READY', 0],
    ],
    nodes: [],
    receipts: [],
  };

  it('tell of beginnings first, then of task runs, then of ends', () => {
    expect([...runEvents(batch, () => true)].map(({ type, key }) => `${type} ${key}`)).toEqual([
      'run.started new',
      'taskRun.succeeded done.3',
      'taskRun.assigned new.0',
      'taskRun.queued same.1',
      'run.succeeded done',
    ]);
  });

  it('bear indexes that do not depend on who asks', () => {
    const all = new Map([...runEvents(batch, () => true)].map((event) => [event.key, event.index]));
    for (const event of runEvents(batch, (run) => run === 'done')) expect(all.get(event.key)).toBe(event.index);
    expect([...runEvents(batch, (_, pipeline) => pipeline === 'q')].map(({ key }) => key)).toEqual(['same.1']);
  });
});
