import { describeRunner } from '@gantry/plugin-kit/testing';
import plugin from '../src/index.ts';

describeRunner(plugin, {
  succeeds: { outputs: { a: [1, { b: null }] }, logLines: 3 },
  fails: { outcome: 'fail', exitCode: 7 },
  endless: { outcome: 'hang' },
  prints: { config: { logLines: 100, logLine: 'words' }, text: '100 words\n' },
  stubborn: { outcome: 'hang', ignoreStop: true },
  signalled: { config: { outcome: 'oom' }, signal: 'SIGKILL' },
  counts: { config: { logLines: 5_000 }, upTo: 5_000 },
  checkpoints: { checkpoint: true, durationMs: 1 },
});
