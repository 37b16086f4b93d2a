import { describe, expect, it } from '@jest/globals';
import { Writable } from 'node:stream';
import type { ApiPorts } from '../../server/api/context.ts';
import type { Feeds, Follower, Frame } from '../../server/api/feeds.ts';
import type { Operation, Operations } from '../../server/api/operations.ts';
import { MAX_WAITING_BYTES, Outlet } from '../../server/api/outlet.ts';
import { SocketSubscription, type SubscriptionHost } from '../../server/api/socket-subscription.ts';
import type { RunId } from '../../server/domain/ids.ts';

/** A socket that takes nothing until it is told to. */
class SlowSocket extends Writable {
  readonly sent: string[] = [];
  #go: (() => void)[] = [];
  #isOpen = false;
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.sent.push(chunk.toString());
    if (this.#isOpen) done();
    else this.#go.push(done);
  }
  open(): void {
    this.#isOpen = true;
    for (const go of this.#go.splice(0)) go();
  }
}

const frame = (key: string, cursor: string): Frame => ({
  event: { type: 'any', cursor, at: 0, run: key as RunId, taskRun: null },
  key,
  payload: Buffer.from(JSON.stringify({ cursor })),
});

describe('what waits for a slow client', () => {
  it('is sent in the order in which it happened: a run that has ended comes behind its task runs', async () => {
    const socket = new SlowSocket({ highWaterMark: 1 });
    const outlet = new Outlet(socket as never);
    outlet.write(Buffer.alloc(MAX_WAITING_BYTES + 1, 'x'));
    let follower: Follower | null = null;
    const feeds = {
      join: (_operation: Operation, _variables: object, _viewer: unknown, given: Follower) => {
        follower = given;
        return () => undefined;
      },
    } as unknown as Feeds;
    const ports = { tokens: { isGood: () => true } } as unknown as ApiPorts;
    const host = { outlet, viewer: {}, complete: () => outlet.writeText('complete') } as unknown as SubscriptionHost;
    const subscription = new SocketSubscription('1', host, ports, {} as Operation, {});
    subscription.start(feeds, {} as Operations);
    const told = follower as unknown as Follower;
    for (const [key, cursor] of [
      ['run', '1'],
      ['run.0', '2'],
      ['run.1', '3'],
      ['run.0', '4'],
      ['run', '5'],
    ] as const) {
      told.onFrame(frame(key, cursor));
    }
    told.onEnd();
    socket.open();
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    const cursors = socket.sent
      .join('')
      .match(/"cursor":"\d"|complete/g)
      ?.map((text) => text.replace(/\D/g, '') || text);
    expect(cursors).toEqual(['3', '4', '5', 'complete']);
  });
});
