import { expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';

const SOAK = join(import.meta.dirname, '../../bench/soak.ts');

it('The soak, in short: a server under load keeps as many runs as it should, and nothing of the others', async () => {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  const options = ['--runs', '1000', '--rate', '1000', '--kept', '50', '--only-rows', '--port', String(port)];
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', SOAK, ...options]);
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  child.stderr.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  const [code] = (await once(child, 'close')) as [number | null];
  expect(text).toContain('All bounds are met.');
  expect(code).toBe(0);
});
