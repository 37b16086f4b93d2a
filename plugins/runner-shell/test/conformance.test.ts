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
    stubborn: { command: "trap '' TERM; echo begun; while :; do sleep 1; done" },
    signalled: { config: { command: 'kill -SEGV $$' }, signal: 'SIGSEGV' },
    counts: { config: { command: 'for n in $(seq 5000); do echo $n; done' }, upTo: 5_000 },
    binary: {
      config: { command: "printf '\\377\\000\\033[2J\\200'" },
      bytes: Buffer.from([255, 0, 27, 91, 50, 74, 128]),
    },
    echoes: { command: 'printf %s "$TEXT"' },
    mistakes: [
      { config: { argv: ['nosuchprogram'] }, code: 'COMMAND_NOT_FOUND' },
      { config: { command: 'true', workdir: '/no/such/folder' }, code: 'WORKDIR_NOT_FOUND' },
      { config: { command: 'true', user: 'nosuchuser' }, code: 'USER_NOT_ALLOWED' },
    ],
  });
