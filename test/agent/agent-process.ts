import { appendFileSync } from 'node:fs';
import { once } from 'node:events';
import { defineRunner, type RunnerPlugin } from '@gantry/plugin-kit/runner';
import { pino } from 'pino';
import { Agent } from '../../server/agent/agent.ts';
import { nodeSecrets } from '../../server/agent/secret-source.ts';
import { systemClock } from '../../server/clock.ts';
import { ScriptedGateway } from './scripted-gateway.ts';
import { specOf } from './specs.ts';

/*
 * An agent in a process of its own, to be killed: `agent-process.ts <data folder> <witness> <orders>`. Orders are
 * configs of attempts, by ordinal; all of them are assigned, at every start. Its runner writes into the witness before
 * anything else, so that nobody can start twice unseen. Everything that the server would hear goes to the parent.
 */

const [, , dataDirectory, witness, orders] = process.argv as unknown as [string, string, string, string, string];
type Order = { readonly checkpoint?: boolean; readonly endless?: boolean };

const runner = defineRunner<Order, { readonly of: string }>({
  name: 'witness',
  version: '1.0.0',
  summary: 'Writes down that it was started.',
  config: { check: (config) => ({ ok: true, config: config as Order }), jsonSchema: {} },
  async run(attempt) {
    appendFileSync(witness, `${attempt.id} run\n`);
    process.send!({ type: 'STARTED', attempt: attempt.id });
    if (attempt.config.checkpoint) await attempt.checkpoint({ of: attempt.id });
    attempt.started();
    process.send!({ type: 'UNDER_WAY', attempt: attempt.id });
    if (attempt.config.endless) await once(attempt.stop, 'abort');
    return { ok: true, outputs: {} };
  },
  reattach(attempt, handle) {
    appendFileSync(witness, `${attempt.id} reattach\n`);
    return Promise.resolve({ ok: true, outputs: { found: handle.of } });
  },
});

const gateway = new ScriptedGateway();
const agent = new Agent({
  gateway,
  registry: { runner: () => runner as unknown as RunnerPlugin, names: () => ['witness'] },
  clock: systemClock,
  log: pino({ level: 'silent' }),
  random: () => 0.5,
  name: 'node',
  pool: 'default',
  labels: {},
  capacity: {},
  settings: {},
  secrets: nodeSecrets(null, {}),
  dataDirectory,
  version: '1.0.0',
});
const specs = (JSON.parse(orders) as Order[]).map((order, ordinal) => specOf(ordinal, order, { runner: 'witness' }));
await agent.start();
process.send!({ type: 'HELLO', known: gateway.hellos[0]!.known });
for (const spec of specs) void gateway.ended(spec).then((report) => process.send!({ type: 'ENDED', report }));
process.on('disconnect', () => process.exit());
// One after the other, so that whoever kills this process meets it at every stage at once.
for (const spec of specs) {
  gateway.assign(spec);
  await systemClock.turn();
}
