import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { declaredResources } from '../../server/config/node-resources.ts';
import { loadConfig, type ConfigInput, type LoadedConfig } from '../../server/config/load.ts';
import { printedSettings } from '../../server/config/print.ts';
import { SETTINGS, settingNames } from '../../server/config/schema.ts';

let cwd = '';
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'gantry-config-'));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const load = (input: Partial<ConfigInput> = {}): LoadedConfig => loadConfig({ env: {}, cwd, ...input });

function loaded(input: Partial<ConfigInput> = {}) {
  const result = load(input);
  if (!result.ok) throw new Error(result.problems.map((each) => `${each.place}: ${each.message}`).join('\n'));
  return result;
}

function problems(input: Partial<ConfigInput>) {
  const result = load(input);
  return result.ok ? [] : result.problems;
}

describe('without any configuration', () => {
  it('listens on loopback, port 4000, and keeps everything in .gantry of the working folder', () => {
    const { config, sources } = loaded();
    expect(config).toMatchObject({
      host: '127.0.0.1',
      port: 4000,
      dataDir: join(cwd, '.gantry'),
      databaseUrl: `sqlite:${join(cwd, '.gantry', 'gantry.db')}`,
      adminToken: null,
      nodeName: 'local',
      enableMockRunner: false,
      insecure: false,
    });
    expect(new Set(Object.values(sources).map((source) => source.kind))).toEqual(new Set(['DEFAULT']));
  });

  it('writes its log for people on a terminal and for programs elsewhere', () => {
    expect(loaded({ isTerminal: true }).config.logFormat).toBe('pretty');
    expect(loaded({ isTerminal: false }).config.logFormat).toBe('json');
  });
});

describe('the sources', () => {
  it('win in the order default, file, environment, flag, and each value knows its source', () => {
    writeFileSync(join(cwd, 'gantry.config.yaml'), 'host: 127.0.0.2\n\nport: 4001\nlogLevel: warn\n');
    const { config, sources } = loaded({
      env: { GANTRY_PORT: '4002', GANTRY_LOG_LEVEL: 'error' },
      flags: { logLevel: 'debug' },
    });
    expect(config).toMatchObject({ host: '127.0.0.2', port: 4002, logLevel: 'debug', nodeName: 'local' });
    expect(sources).toMatchObject({
      host: { kind: 'FILE', place: 'gantry.config.yaml:1' },
      port: { kind: 'ENVIRONMENT', place: 'GANTRY_PORT' },
      logLevel: { kind: 'FLAG', place: '--log-level' },
      nodeName: { kind: 'DEFAULT' },
    });
  });

  it.each(settingNames)('hand in %s by its variable', (name) => {
    const texts: Partial<Record<typeof name, string>> = {
      host: '::1',
      port: '0',
      databaseUrl: 'mysql://u:p@localhost/gantry',
      adminToken: 'a-token-of-enough-length',
      logLevel: 'debug',
      logFormat: 'json',
      enableMockRunner: 'true',
      nodeSlots: '3',
      diskReserve: '5',
      ballast: '0',
      nodeLabels: 'zone=a,disk=ssd',
      nodeResources: 'gpu=2,licence=5',
      schedulerConfig: '{"spread":true}',
      allowedOrigins: 'https://gantry.example.org',
      runners: '{"http":{"allow":["10.0.0.0/8"]}}',
      insecure: 'yes',
      retentionAge: 'never',
      retentionRuns: '500',
      retentionAudit: '52w',
      retentionKeys: '1h30m',
      retentionEvents: 'P3D',
      retentionInterval: '10s',
      url: 'https://gantry.example.org',
    };
    const { sources } = loaded({ env: { [SETTINGS[name].variable]: texts[name] ?? 'some-text' } });
    expect(sources[name]).toEqual({ kind: 'ENVIRONMENT', place: SETTINGS[name].variable });
  });

  it('read lists, maps, JSON and truth from text', () => {
    const { config } = loaded({
      env: {
        GANTRY_PLUGINS: './mine, a-package',
        GANTRY_NODE_LABELS: 'zone=a, note=x=y',
        GANTRY_NODE_RESOURCES: 'gpu=2, memory=8Gi',
        GANTRY_RUNNERS: '{"http":{"timeout":"1s","allow":["10.0.0.0/8"]}}',
        GANTRY_HTTP_ALLOW: '127.0.0.0/8,::1',
        GANTRY_ENABLE_MOCK_RUNNER: '1',
      },
    });
    expect(config.plugins).toEqual([join(cwd, 'mine'), 'a-package']);
    expect(config.nodeLabels).toEqual({ zone: 'a', note: 'x=y' });
    expect(declaredResources(config.nodeResources)).toEqual({ gpu: 2_000, memory: 8 * 2 ** 30 });
    expect(config.runners).toEqual({ http: { timeout: '1s', allow: ['127.0.0.0/8', '::1'] } });
    expect(config.enableMockRunner).toBe(true);
  });

  it('read what is kept as a number or a text, and refuse what is neither an amount nor never', () => {
    writeFileSync(join(cwd, 'gantry.config.yaml'), 'retentionAge: 30d\nretentionRuns: 500\n');
    expect(loaded({}).config).toMatchObject({ retentionAge: '30d', retentionRuns: 500 });
    for (const text of ['never', '1', '999999999']) {
      expect(loaded({ env: { GANTRY_RETENTION_RUNS: text } }).config.retentionRuns).toBe(text);
    }
    for (const [variable, texts] of [
      ['GANTRY_RETENTION_RUNS', ['0', '-1', '1.5', 'Never', '1e3', '9999999999']],
      ['GANTRY_RETENTION_AGE', ['30', '-1d', 'forever', '30 d', '1y']],
      ['GANTRY_RETENTION_KEYS', ['never', '7']],
    ] as const) {
      for (const text of texts) {
        expect(problems({ env: { [variable]: text } })).toEqual([
          expect.objectContaining({ place: variable, message: expect.stringContaining('must be a') }),
        ]);
      }
    }
  });

  it.each([
    ['gpu=1.5', 'nodeResources.gpu must be an amount: “1.5” of gpu is neither a part of one nor whole ones.'],
    ['gpu=500m', 'nodeResources.gpu must be whole GPUs'],
    ['gpu=100000', 'nodeResources.gpu must be at most 1024 GPUs'],
    ['licence=0.5', 'nodeResources.licence must be an amount: licence is counted in whole units'],
    ['memory=8GB', 'nodeResources.memory must be an amount'],
    ['GPU=1', 'nodeResources.GPU must be named with lower case letters'],
    ['slots=4', 'nodeResources.slots must not stand here: how many attempts run at once is nodeSlots'],
  ])('refuse %s as resources of the node', (text, message) => {
    const result = loadConfig({ env: { GANTRY_NODE_RESOURCES: text }, cwd });
    expect(result.ok ? [] : result.problems.map((problem) => problem.message)).toEqual([
      expect.stringContaining(message),
    ]);
  });

  it('take an empty variable as not set', () => {
    expect(loaded({ env: { GANTRY_PORT: '', GANTRY_ADMIN_TOKEN: '' } }).config).toMatchObject({
      port: 4000,
      adminToken: null,
    });
  });

  it('read JSON as well as YAML, and the file that --config names', () => {
    mkdirSync(join(cwd, 'etc'));
    writeFileSync(join(cwd, 'etc', 'mine.json'), '{ "port": 4005, "dataDir": "data", "plugins": ["./p"] }');
    const { config, file } = loaded({ file: 'etc/mine.json' });
    expect(config.port).toBe(4005);
    // Relative to the file, so that it means the same from everywhere.
    expect(config.dataDir).toBe(join(cwd, 'etc', 'data'));
    expect(config.plugins).toEqual([join(cwd, 'etc', 'p')]);
    expect(file).toBe(join(cwd, 'etc', 'mine.json'));
    expect(loaded({ env: { GANTRY_CONFIG: 'etc/mine.json' } }).config.port).toBe(4005);
  });
});

describe('a number or a text that would be changed', () => {
  it('is refused with its line in a file', () => {
    writeFileSync(join(cwd, 'gantry.config.yaml'), 'port: 4000\nrunners:\n  http: { pool: 9007199254740993 }\n');
    expect(problems({})).toEqual([
      {
        place: 'gantry.config.yaml:3',
        message: '9007199254740993 is a number that cannot be kept exactly: it would become 9007199254740992.',
        remedy: 'Write it as a string: "9007199254740993".',
      },
    ]);
  });

  it('is refused with its place in a variable', () => {
    const json = problems({ env: { GANTRY_RUNNERS: '{"http":{"id":9007199254740993}}' } });
    expect(json).toMatchObject([{ place: 'GANTRY_RUNNERS', message: expect.stringContaining('http.id (line 1,') }]);
    const number = problems({ env: { GANTRY_NODE_SLOTS: '9007199254740993' } });
    expect(number).toMatchObject([{ place: 'GANTRY_NODE_SLOTS', message: expect.stringContaining('exactly') }]);
  });

  it('is read in the encoding of its file, and refused where it is no text', () => {
    writeFileSync(join(cwd, 'gantry.config.yaml'), Buffer.from('\uFEFFport: 4001\n', 'utf16le'));
    expect(loaded().config.port).toBe(4001);
    writeFileSync(join(cwd, 'gantry.config.yaml'), Buffer.from('port: 4001\n# caf\xe9\n', 'latin1'));
    expect(problems({})).toMatchObject([{ place: 'gantry.config.yaml', message: 'Line 2 (byte 18) is not UTF-8.' }]);
  });
});

describe('a mistake', () => {
  it('in a key of the file is named with its line and the key that was meant', () => {
    writeFileSync(join(cwd, 'gantry.config.yaml'), 'port: 4000\ndatadir: here\n');
    expect(problems({})).toEqual([
      { place: 'gantry.config.yaml:2', message: 'there is no setting “datadir”', remedy: 'Did you mean “dataDir”?' },
    ]);
  });

  it('in a variable is named with the variable that was meant', () => {
    expect(problems({ env: { GANTRY_DATADIR: 'x' } })).toEqual([
      { place: 'GANTRY_DATADIR', message: 'there is no such variable', remedy: 'Did you mean GANTRY_DATA_DIR?' },
    ]);
  });

  it('in a value says what the value is and what it should be', () => {
    writeFileSync(join(cwd, 'gantry.config.yaml'), 'port: 70000\n');
    const [problem] = problems({});
    expect(problem?.place).toBe('gantry.config.yaml:1');
    expect(problem?.message).toBe('port must be a whole number from 0 to 65535 (it is 70000)');
    rmSync(join(cwd, 'gantry.config.yaml'));
    expect(problems({ env: { GANTRY_PORT: 'http' } })[0]?.message).toBe('“http” is not a number');
    expect(problems({ env: { GANTRY_DATABASE_URL: 'postgres://x' } })[0]?.message).toContain('sqlite: or mysql://');
  });

  it('is reported together with all others', () => {
    const found = problems({ env: { GANTRY_PORT: 'x', GANTRY_HOTS: 'y', GANTRY_LOG_LEVEL: 'loud' } });
    expect(found.map((each) => each.place).sort()).toEqual(['GANTRY_HOTS', 'GANTRY_LOG_LEVEL', 'GANTRY_PORT']);
  });

  it('in a secret does not show the secret', () => {
    const found = problems({ env: { GANTRY_ADMIN_TOKEN: 'abc' } });
    expect(found).toHaveLength(1);
    expect(JSON.stringify(found)).not.toContain('tooshort');
  });

  it('in the syntax of the file, a list instead of settings, or a missing file is an answer, not a crash', () => {
    writeFileSync(join(cwd, 'gantry.config.yaml'), 'port: [1\n');
    expect(problems({})[0]?.place).toMatch(/^gantry\.config\.yaml:\d+$/);
    writeFileSync(join(cwd, 'gantry.config.yaml'), '- port\n');
    expect(problems({})[0]?.message).toContain('key: value');
    expect(problems({ file: 'nowhere.yaml' })[0]).toMatchObject({
      place: 'nowhere.yaml',
      message: 'there is no such file',
    });
  });

  it('made by Kubernetes for a service of the name gantry is recognised', () => {
    expect(problems({ env: { GANTRY_PORT: 'tcp://10.0.0.1:4000' } })[0]?.remedy).toContain('enableServiceLinks');
    expect(loaded({ env: { GANTRY_SERVICE_HOST: '10.0.0.1', GANTRY_PORT_4000_TCP: 'tcp://10.0.0.1:4000' } }).ok).toBe(
      true,
    );
  });

  it('is not what a command inside a task finds in its environment', () => {
    expect(
      loaded({ env: { GANTRY_PARAM_ROOT: 'x', GANTRY_ITEM: '1', GANTRY_INDEX: '0', GANTRY_OUTPUT: '/x' } }).ok,
    ).toBe(true);
  });
});

describe('listening beyond loopback', () => {
  it.each(['0.0.0.0', '::', '192.168.1.4', 'gantry.example.org'])('on %s is refused without insecure', (host) => {
    const [problem] = problems({ env: { GANTRY_HOST: host } });
    expect(problem).toMatchObject({ place: 'GANTRY_HOST' });
    expect(problem?.remedy).toContain('GANTRY_INSECURE=true');
    expect(loaded({ env: { GANTRY_HOST: host, GANTRY_INSECURE: 'true' } }).config.host).toBe(host);
  });

  it.each(['127.0.0.1', '127.8.8.8', '::1', 'localhost'])('is not what %s means', (host) => {
    expect(loaded({ env: { GANTRY_HOST: host } }).config.host).toBe(host);
  });

  it('is no concern of a client', () => {
    expect(loaded({ env: { GANTRY_HOST: '0.0.0.0' }, isClient: true }).ok).toBe(true);
  });
});

describe('what config print shows', () => {
  it('holds every setting, its source, and no secret', () => {
    const { config, sources } = loaded({
      env: {
        GANTRY_ADMIN_TOKEN: 'the-admin-token-itself',
        GANTRY_TOKEN: 'the-client-token',
        GANTRY_DATABASE_URL: 'mysql://gantry:pa@ss/wor:d@db.example.org:3306/gantry',
      },
    });
    const printed = printedSettings(config, sources);
    expect(printed.map((each) => each.name)).toEqual(settingNames);
    expect(printed.find((each) => each.name === 'databaseUrl')?.value).toBe(
      'mysql://gantry:••••@db.example.org:3306/gantry',
    );
    expect(printed.find((each) => each.name === 'port')).toMatchObject({ value: 4000, from: 'default' });
    expect(JSON.stringify(printed)).not.toMatch(/admin-token-itself|client-token|pa@ss/);
  });
});
