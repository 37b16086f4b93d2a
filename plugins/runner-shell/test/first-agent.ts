import { Writable } from 'node:stream';
import type { Attempt, JsonObject } from '@gantry/plugin-kit/runner';
import plugin from '../src/index.ts';

// An agent that starts one command and is then killed by the test. It says "begun" and its checkpoints as lines.
const order = JSON.parse(process.argv[2]!) as {
  id: string;
  state: string;
  workdir: string;
  config: JsonObject;
  resources: Record<string, number>;
  settings: JsonObject;
};
const checked = plugin.config.check(order.config);
if (!checked.ok) throw new Error(JSON.stringify(checked.problems));
const never = new AbortController().signal;
const say = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`);
const stream = () =>
  new Writable({
    write: (piece: Buffer, _, done) => {
      say({ printed: piece.toString() });
      done();
    },
  });
const attempt: Attempt<typeof checked.config, { attempt: string }> = {
  id: order.id,
  number: 1,
  runId: 'run',
  taskKey: 'task',
  config: checked.config,
  env: {},
  inputs: {},
  workdir: order.workdir,
  resources: order.resources,
  gpus: [],
  deadline: null,
  stop: never,
  kill: never,
  stdout: stream(),
  stderr: stream(),
  checkpoint: (handle) => {
    say({ handle });
    return Promise.resolve();
  },
  started: () => undefined,
  preparing: () => undefined,
  progress: () => undefined,
  previousState: null,
  saveState: () => Promise.resolve(),
};
void plugin.run(attempt, { name: 'first', stateDirectory: order.state, settings: order.settings });
