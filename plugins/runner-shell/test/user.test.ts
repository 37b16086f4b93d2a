import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { killedAgent } from './killed-agent.ts';
import { isRunning, NODES_BY_SHELL, NodeUnderTest, outputsOf, reasonOf } from './node-under-test.ts';

const isRoot = userInfo().uid === 0;
const describeAsRoot = isRoot ? describe : describe.skip;

describeAsRoot.each(NODES_BY_SHELL)(
  'a command as another user, with helpers in %s, on a node with %s',
  (_shell, _kind, settings) => {
    let node: NodeUnderTest;
    let userFolder: string;
    const run = (config: object, extra: object = {}) => node.run({ user: 'nobody', ...config }, extra);
    beforeAll(() => {
      userFolder = mkdtempSync('/var/tmp/gantry-users-');
      chmodSync(userFolder, 0o711);
      node = new NodeUnderTest({ users: ['nobody', 'nobody-at-all'], userFolder, ...settings });
    });
    afterAll(async () => {
      // The folder of the killed agent's helper is kept for a day.
      expect((await node.close()).processes).toEqual([]);
      for (const name of readdirSync(userFolder)) expect(readdirSync(join(userFolder, name))).toEqual([]);
      rmSync(userFolder, { recursive: true });
    });

    it('is that user, with its groups, and without capabilities', async () => {
      const { stdout, stderr } = await run({
        command: 'id -un; id -Gn; echo $USER; grep -E "CapEff|CapBnd|NoNewPrivs" /proc/self/status',
      });
      expect(stderr).toBe('');
      const zeros = '0000000000000000';
      expect(stdout).toBe(`nobody\nnogroup\nnobody\nCapEff:\t${zeros}\nCapBnd:\t${zeros}\nNoNewPrivs:\t1\n`);
    });

    it('has its own folder, files, script, inputs and outputs', async () => {
      const { outcome, stdout } = await run(
        {
          script: `touch made && ls; pwd | grep -c "$GANTRY_WORKDIR"; cat a.txt "$GANTRY_INPUTS"; cat
          echo "a=$HELLO" > "$GANTRY_OUTPUT"; echo '[1]' > r.json`,
          files: { 'a.txt': 'given\n' },
          stdin: 'typed\n',
          outputFiles: { report: 'r.json' },
          umask: '077',
        },
        { inputs: { params: { x: 1 } }, env: { HELLO: "it's $(here)" } },
      );
      expect(stdout).toBe('a.txt\nmade\n1\ngiven\n{"params":{"x":1}}typed\n');
      expect(outputsOf(outcome)).toEqual({ a: "it's $(here)", report: [1] });
    });

    it('may read nothing that is only root’s', async () => {
      const { stdout } = await run({
        command: 'cat /etc/shadow; ls "$(dirname "$(dirname "$GANTRY_WORKDIR")")"; echo end',
      });
      expect(stdout).toBe('end\n');
    });

    it('cannot make root read a file for it', async () => {
      for (const trick of ['ln -s /etc/shadow', 'ln /etc/shadow'])
        for (const target of ['"$GANTRY_OUTPUT"', 'r.txt']) {
          const { outcome } = await run({ command: `${trick} ${target}`, outputFiles: { report: 'r.txt' } });
          expect(JSON.stringify(outcome)).not.toContain('root');
          expect(outcome.ok).toBe(false);
        }
    });

    it('gets its environment only when root has been left behind', async () => {
      // Were it loaded as root, setpriv would complain of it before anything else.
      const { stderr, stdout } = await run({ command: 'echo "$LD_PRELOAD"' }, { env: { LD_PRELOAD: '/no/such.so' } });
      expect(stdout).toBe('/no/such.so\n');
      expect(stderr).not.toContain('setpriv');
    });

    it('tells its end like every other, and leaves nothing behind', async () => {
      expect((await run({ command: 'exit 7' })).outcome).toMatchObject({ exitCode: 7 });
      expect((await run({ command: 'kill -KILL $$' })).outcome).toMatchObject({ signal: 'SIGKILL' });
      const { attempt, outcome } = await run({ command: `setsid sh -c 'echo $$; sleep 1000' & sleep 0.2` });
      expect(outcome.ok).toBe(true);
      expect(isRunning(Number(attempt.text))).toBe(false);
    });

    it('hands on its outputs to a restarted agent, which removes its folder', async () => {
      const attempt = node.attempt({ command: 'true', user: 'nobody', outputFiles: { who: 'who' } });
      const config = {
        command: `echo up; cat; id -un > who; echo a=1 > "$GANTRY_OUTPUT"`,
        user: 'nobody',
        outputFiles: { who: 'who' },
        stdin: 'typed',
      };
      await killedAgent(node, attempt, config, (line) => 'printed' in line);
      expect(outputsOf(await attempt.reattach({ attempt: attempt.id }))).toEqual({ a: '1', who: 'nobody\n' });
    });

    it('that the node does not allow, or that is not there, is refused before anything is started', async () => {
      for (const [user, code] of [
        ['daemon', 'USER_NOT_ALLOWED'],
        ['nobody-at-all', 'USER_UNKNOWN'],
      ]) {
        const { outcome } = await node.run({ command: 'true', user: user! });
        expect([reasonOf(outcome), outcome.ok ? '' : outcome.kind]).toEqual([code, 'APPLICATION']);
      }
    });
  },
);
