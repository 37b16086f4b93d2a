import { describeRunner } from '@gantry/plugin-kit/testing';
import plugin from '../src/index.ts';

describeRunner(plugin, {
  succeeds: { outputs: { a: [1, { b: null }] }, logLines: 3 },
  fails: { outcome: 'fail', exitCode: 7 },
  endless: { outcome: 'hang' },
  prints: { config: { logLines: 100, logLine: 'words' }, text: '100 words\n' },
  checkpoints: { checkpoint: true, durationMs: 1 },
});
