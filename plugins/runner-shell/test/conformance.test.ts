import { describeRunner } from '@gantry/plugin-kit/testing';
import plugin from '../src/index.ts';
import { NODES } from './node-under-test.ts';

for (const [, settings] of NODES)
  describeRunner(plugin, {
    settings,
    succeeds: { command: 'echo "answer:=42" > "$GANTRY_OUTPUT"' },
    fails: { command: 'exit 3' },
    endless: { command: 'echo begun; exec sleep 1000' },
    prints: { config: { command: 'echo an answer' }, text: 'an answer' },
    checkpoints: { command: 'sleep 0.3' },
  });
