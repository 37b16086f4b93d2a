import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { nodeSecrets } from '../../server/agent/secret-source.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gantry-secrets-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, content: string | Buffer, mode = 0o600): void {
  writeFileSync(join(folder, name), content);
  chmodSync(join(folder, name), mode);
}
const read = (name: string, env: Record<string, string> = {}) => nodeSecrets(folder, env).read(name);
const codeOf = (name: string, env?: Record<string, string>) => {
  const answer = read(name, env);
  return answer.ok ? 'ok' : answer.reason.code;
};

describe('the secrets of a node', () => {
  it('are files, without the line end, or variables; the file wins, and is read each time', () => {
    write('TOKEN', 'of the file\n');
    const source = nodeSecrets(folder, { GANTRY_SECRET_TOKEN: 'of the variable', GANTRY_SECRET_OTHER: 'by variable' });
    expect(source.read('TOKEN')).toEqual({ ok: true, value: 'of the file' });
    expect(source.read('OTHER')).toEqual({ ok: true, value: 'by variable' });
    write('TOKEN', 'exchanged');
    expect(source.read('TOKEN')).toEqual({ ok: true, value: 'exchanged' });
  });

  it('that are missing are named, with where to put them', () => {
    expect(read('TOKEN')).toEqual({
      ok: false,
      reason: {
        code: 'SECRET_MISSING',
        message: 'This node has no secret “TOKEN”.',
        remedy: `Put it in the file ${join(folder, 'TOKEN')} (mode 0600) or in the variable GANTRY_SECRET_TOKEN of the agent.`,
      },
    });
  });

  it('that others may read are not used, even where a variable has one', () => {
    write('TOKEN', 'of the file', 0o640);
    expect(codeOf('TOKEN', { GANTRY_SECRET_TOKEN: 'of the variable' })).toBe('SECRET_UNREADABLE');
  });

  it.each<[string, string | Buffer]>([
    ['too short to be hidden', 'abc'],
    ['empty', ''],
    ['too large', 'x'.repeat(65_537)],
    ['not UTF-8', Buffer.from([0xff, 0xfe, 0xfd, 0xfc])],
    ['not text', 'ab\0cd'],
  ])('that are %s are refused, and the value is not in the refusal', (_, content) => {
    write('BAD', content);
    const answer = read('BAD');
    expect(answer).toMatchObject({ ok: false, reason: { code: 'SECRET_UNUSABLE' } });
    if (content.length > 0) expect(JSON.stringify(answer)).not.toContain(content.toString());
  });

  it('are files of the folder, whatever a server names', () => {
    write('TOKEN', 'value');
    mkdirSync(join(folder, 'FOLDER'));
    for (const name of ['../TOKEN', `${folder}/TOKEN`, 'TOKEN/', '', '.', '__proto__', 'token'])
      expect(codeOf(name)).toBe('SECRET_MISSING');
    expect(codeOf('FOLDER')).toBe('SECRET_UNREADABLE');
  });
});
