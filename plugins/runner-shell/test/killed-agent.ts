import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { JsonObject } from '@gantry/plugin-kit/runner';
import type { TestAttempt } from '@gantry/plugin-kit/testing';
import type { NodeUnderTest } from './node-under-test.ts';

const PROGRAM = fileURLToPath(new URL('./first-agent.ts', import.meta.url));

/** Starts the command in an agent of its own and kills that when `isEnough`. Resolves with what the agent said. */
export async function killedAgent(
  node: NodeUnderTest,
  attempt: TestAttempt,
  config: JsonObject,
  isEnough: (line: JsonObject) => boolean,
): Promise<readonly JsonObject[]> {
  const { resources } = attempt;
  const { settings } = node.harness.node;
  const order = { id: attempt.id, state: node.stateDirectory, workdir: attempt.workdir, config, resources, settings };
  const agent = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', PROGRAM, JSON.stringify(order)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said: JsonObject[] = [];
  for await (const line of createInterface({ input: agent.stdout })) {
    said.push(JSON.parse(line) as JsonObject);
    if (isEnough(said.at(-1)!)) break;
  }
  agent.kill('SIGKILL');
  if (agent.signalCode === null) await once(agent, 'exit');
  return said;
}
