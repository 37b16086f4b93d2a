import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Helpers, NoHelper } from '../src/helpers.ts';
import { gone, isRunning } from './node-under-test.ts';

describe('helpers', () => {
  it('that report too late are refused to whoever waits, and taken when they come', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gantry-helpers-'));
    const [shell, gate] = [join(folder, 'slow-shell'), join(folder, 'gate')];
    writeFileSync(shell, `#!/bin/sh\nuntil [ -e "${gate}" ]; do sleep 0.01; done\nexec /bin/sh "$@"\n`, {
      mode: 0o700,
    });
    const helpers = new Helpers(join(folder, 'state'), shell, 50);
    await expect(Promise.resolve(helpers.take())).rejects.toThrow(NoHelper);
    writeFileSync(gate, '');
    let helper = null;
    while (helper === null)
      helper = await Promise.resolve(helpers.take()).catch((error: unknown) => {
        if (error instanceof NoHelper) return null;
        throw error;
      });
    expect(isRunning(helper.pid)).toBe(true);
    helpers.giveBack(helper);
    await helpers.close();
    await gone(helper.pid);
    rmSync(folder, { recursive: true, force: true });
  });
});
