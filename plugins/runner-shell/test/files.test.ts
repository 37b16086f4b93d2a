import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NodeUnderTest, outputsOf, reasonOf } from './node-under-test.ts';

describe('a command’s files', () => {
  let node: NodeUnderTest;
  beforeAll(() => {
    node = new NodeUnderTest();
  });
  afterAll(async () => {
    expect(await node.close()).toEqual({ files: [], processes: [] });
  });

  it('are there before it starts, as they were given', async () => {
    const hostile = `$(echo PWNED) 'a' "b" \\ \n\ttab ü`;
    const { stdout } = await node.run({
      command: 'cat a.txt; stat -c %a a.txt; ls',
      files: { 'a.txt': hostile, 'b.json': '{}' },
    });
    expect(stdout).toBe(`${hostile}600\na.txt\nb.json\n`);
  });

  it.each(['../a', 'a/b', '/a', '..', '.', '.hidden', 'a\0b', '', 'x'.repeat(200)])(
    'cannot be put elsewhere: %j is refused as a name',
    (name) => {
      const { config } = node.harness.plugin;
      expect(config.check({ command: 'true', files: { [name]: '' } }).ok).toBe(false);
      expect(config.check({ command: 'true', outputFiles: { a: name } }).ok).toBe(false);
    },
  );

  it('become outputs, as JSON or as text, beside those that it names itself', async () => {
    const { outcome } = await node.run({
      command: `echo '{"a":[1]}' > r.json; printf '[2]' > r.txt; echo own=1 > "$GANTRY_OUTPUT"`,
      outputFiles: { report: 'r.json', text: 'r.txt', parsed: { file: 'r.txt', format: 'json' } },
    });
    expect(outputsOf(outcome)).toEqual({ own: '1', report: { a: [1] }, text: '[2]', parsed: [2] });
  });

  it.each([
    ['true', 'OUTPUT_FILE_MISSING'],
    ['echo { > r.json', 'OUTPUT_MALFORMED'],
    [`echo '[9007199254740993]' > r.json`, 'INEXACT_NUMBER'],
    [`echo '{"a":1,"a":2}' > r.json`, 'DUPLICATE_KEY'],
    [`printf '"\\377"' > r.json`, 'OUTPUT_MALFORMED'],
    ['head -c 1048577 /dev/zero > r.json', 'OUTPUTS_TOO_LARGE'],
    ['ln -s /etc/passwd r.json', 'OUTPUT_UNREADABLE'],
    ['mkfifo r.json', 'OUTPUT_UNREADABLE'],
    ['mkdir r.json', 'OUTPUT_UNREADABLE'],
  ])('that cannot become outputs fail it: %s', async (command, code) => {
    const { outcome } = await node.run({ command, outputFiles: { report: 'r.json' } });
    expect([reasonOf(outcome), outcome.ok ? '' : outcome.kind]).toEqual([code, 'APPLICATION']);
  });

  it('take no more as outputs than is allowed for all together', async () => {
    const { outcome } = await node.run({
      command: 'head -c 600000 /dev/zero > a; head -c 600000 /dev/zero > b',
      outputFiles: { a: 'a', b: 'b' },
    });
    expect(reasonOf(outcome)).toBe('OUTPUTS_TOO_LARGE');
  });

  it('are made with the umask that it asked for', async () => {
    const { stdout } = await node.run({ command: 'umask; touch a; stat -c %a a', umask: '027' });
    expect(stdout).toBe('0027\n640\n');
    expect(node.harness.plugin.config.check({ command: 'true', umask: '777' }).ok).toBe(false);
  });

  it('and a umask, change nothing in how its end is told', async () => {
    const killed = await node.run({ command: 'kill -SEGV $$', umask: '077' });
    expect(killed.outcome).toMatchObject({ reason: { code: 'SIGNAL' }, signal: 'SIGSEGV' });
    const exited = await node.run({ command: 'exit 139', umask: '077' });
    expect(exited.outcome).toMatchObject({ reason: { code: 'EXIT_CODE' }, exitCode: 139 });
  });
});
