import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { AttemptId } from '../../server/domain/ids.ts';
import type { AttemptReport } from '../../server/domain/input.ts';
import { specOf } from './specs.ts';

type Message =
  | { readonly type: 'HELLO'; readonly known: readonly AttemptId[] }
  | { readonly type: 'STARTED' | 'UNDER_WAY'; readonly attempt: AttemptId }
  | { readonly type: 'ENDED'; readonly report: AttemptReport };
type Order = { readonly checkpoint?: boolean; readonly endless?: boolean };

let folder: string;
let witness: string;
const processes: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gantry-crash-'));
  witness = join(folder, 'witness');
});
afterEach(async () => {
  for (const process of processes.splice(0)) {
    if (process.exitCode !== null || process.signalCode !== null) continue;
    process.kill('SIGKILL');
    await once(process, 'exit');
  }
  rmSync(folder, { recursive: true, force: true });
});

/** Starts the agent; resolves when what it said is enough. Dies as a machine that loses its power, if it is to. */
async function agent(
  orders: readonly Order[],
  isEnough: (messages: readonly Message[]) => boolean,
  thenKill: boolean,
): Promise<readonly Message[]> {
  const path = new URL('./agent-process.ts', import.meta.url);
  const process = fork(path, [join(folder, 'data'), witness, JSON.stringify(orders)], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  processes.push(process);
  const messages: Message[] = [];
  await new Promise<void>((resolve, reject) => {
    process.on('message', (message: Message) => {
      messages.push(message);
      if (isEnough(messages)) resolve();
    });
    process.on('exit', (code) => reject(new Error(`The agent ended with ${code}.`)));
  });
  if (thenKill) {
    process.removeAllListeners('exit');
    process.kill('SIGKILL');
    await once(process, 'exit');
  }
  return messages;
}
const count = (messages: readonly Message[], type: Message['type']) =>
  messages.filter((message) => message.type === type).length;
const knownAtFirst = ([hello]: readonly Message[]) => (hello?.type === 'HELLO' ? hello.known.length : 0);
const ends = (messages: readonly Message[]) =>
  new Map(messages.flatMap((message) => (message.type === 'ENDED' ? [[message.report.attempt, message.report]] : [])));
const witnessed = () => readFileSync(witness, 'utf8').trimEnd().split('\n').sort();

describe('an agent that is killed and started again', () => {
  it('finds again what can be found, tells honestly what cannot, and starts nothing a second time', async () => {
    const orders = [{ endless: true }, { checkpoint: true, endless: true }];
    const [lost, found] = [specOf(0).attempt, specOf(1).attempt];
    await agent(orders, (messages) => count(messages, 'UNDER_WAY') === 2, true);
    const messages = await agent(orders, (said) => count(said, 'ENDED') === 2, false);
    expect(messages[0]).toEqual({ type: 'HELLO', known: [lost, found] });
    expect(ends(messages).get(lost)).toMatchObject({
      state: 'FAILED',
      failure: {
        kind: 'UNKNOWN',
        reason: { code: 'OUTCOME_UNKNOWN', message: expect.stringContaining('The agent was restarted') as unknown },
      },
    });
    expect(ends(messages).get(found)).toMatchObject({ state: 'SUCCEEDED', outputs: { found } });
    expect(witnessed()).toEqual([`${lost} run`, `${found} reattach`, `${found} run`]);
  });

  it('starts nothing twice, whenever it dies, and has an end for everything at last', async () => {
    const orders = Array.from({ length: 60 }, (_, index) => ({
      checkpoint: index % 3 === 0,
      endless: index % 2 === 0,
    }));
    // The last one dies when all have been started: what is endless has an end only because its agent died.
    for (const startedCount of [1, 17, orders.length]) {
      await agent(
        orders,
        (messages) => count(messages, 'STARTED') >= Math.min(startedCount, orders.length - knownAtFirst(messages)),
        true,
      );
    }
    const messages = await agent(orders, (said) => count(said, 'ENDED') === orders.length, false);
    const runs = witnessed().filter((line) => line.endsWith(' run'));
    expect(new Set(runs).size).toBe(runs.length);
    for (const [attempt, { state, failure }] of ends(messages)) {
      // Only what the witness has not seen may be said never to have begun.
      if (state === 'REJECTED') expect(runs).not.toContain(`${attempt} run`);
      else if (state === 'FAILED') expect(failure?.reason.code).toBe('OUTCOME_UNKNOWN');
      else expect(state).toBe('SUCCEEDED');
    }
  });
});
