import type { JsonObject } from '@gantry/plugin-kit/vocabulary';
import * as z from 'zod';
import { parseDuration } from '../domain/time.ts';
import { nodeResources } from './node-resources.ts';
import { setting } from './setting.ts';

/** The names of the configuration file, looked for in the working folder in this order. */
export const CONFIG_FILES = ['gantry.config.yaml', 'gantry.config.yml', 'gantry.config.json'] as const;

const name = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'must be lower case letters, digits and dashes, at most 63');

const wholeNumber = (max: number) =>
  z
    .number()
    .refine(
      (value) => Number.isInteger(value) && value >= 0 && value <= max,
      `must be a whole number from 0 to ${max}`,
    );

const json: z.ZodType<JsonObject> = z.record(z.string(), z.json()) as z.ZodType<JsonObject>;

const origin = z.string().refine((text) => {
  const url = URL.parse(text);
  return url !== null && url.origin === text;
}, 'must be an origin such as https://gantry.example.org, without a path or a slash at its end');

const isDuration = (text: string): boolean => parseDuration(text).ok;
const duration = z.string().refine(isDuration, 'must be a duration such as 12h, 30d or 52w');
const durationOrNever = z
  .string()
  .refine((text) => text === 'never' || isDuration(text), 'must be a duration such as 12h, 30d or 52w, or never');

/** The one table: the file's keys, each with its variable, flag, default and sentence. */
export const SETTINGS = {
  host: setting({
    schema: z.string().min(1),
    form: 'TEXT',
    default: '127.0.0.1',
    variable: 'GANTRY_HOST',
    flag: 'host',
    summary:
      'The address to listen on. Anything but loopback needs `insecure`, because Gantry does not speak TLS itself.',
    side: 'SERVER',
  }),
  port: setting({
    schema: wholeNumber(65_535),
    form: 'NUMBER',
    default: 4000,
    variable: 'GANTRY_PORT',
    flag: 'port',
    summary: 'The TCP port to listen on; 0 for any free one.',
    side: 'SERVER',
  }),
  dataDir: setting({
    schema: z.string().min(1),
    form: 'TEXT',
    default: '.gantry',
    variable: 'GANTRY_DATA_DIR',
    flag: 'data-dir',
    summary: "Where the server keeps its database, its node's journal and working folders, and the admin token.",
    isPath: true,
    side: 'SERVER',
  }),
  databaseUrl: setting({
    schema: z
      .string()
      .regex(/^(sqlite:.+|mysql:\/\/.+)$/s, 'must begin with sqlite: or mysql://')
      .nullable(),
    form: 'TEXT',
    default: null,
    absent: '`sqlite:` and `gantry.db` in the data folder',
    variable: 'GANTRY_DATABASE_URL',
    flag: 'database-url',
    summary: 'The database: `sqlite:PATH`, or `mysql://USER:PASSWORD@HOST:PORT/DATABASE` for MySQL and MariaDB.',
    side: 'SERVER',
  }),
  adminToken: setting({
    schema: z
      .string()
      .min(4, 'must be at least 4 characters, and better 16: whoever has it may run commands')
      .max(512)
      .regex(/^[\x21-\x7e]+$/, 'must be printable ASCII without blanks: it travels in a header')
      .nullable(),
    form: 'TEXT',
    default: null,
    absent: 'made at the first start and kept in the data folder',
    variable: 'GANTRY_ADMIN_TOKEN',
    flag: null,
    summary: 'The admin token to use instead of creating one.',
    isSecret: true,
    side: 'SERVER',
  }),
  logLevel: setting({
    schema: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
    form: 'TEXT',
    default: 'info',
    variable: 'GANTRY_LOG_LEVEL',
    flag: 'log-level',
    summary: "The least severe message of the server's own log that is written.",
    side: 'SERVER',
  }),
  logFormat: setting({
    schema: z.enum(['json', 'pretty']).nullable(),
    form: 'TEXT',
    default: null,
    absent: '`pretty` on a terminal, `json` otherwise',
    variable: 'GANTRY_LOG_FORMAT',
    flag: 'log-format',
    summary: "How the server's own log is written: `json`, one object per line, or `pretty`.",
    side: 'SERVER',
  }),
  plugins: setting({
    schema: z.array(z.string().min(1)).max(1000),
    form: 'LIST',
    default: [],
    variable: 'GANTRY_PLUGINS',
    flag: 'plugins',
    summary:
      'Plugins to load beside the built-in ones: names of packages, or paths that begin with `./`, `../` or `/`.',
    side: 'SERVER',
  }),
  enableMockRunner: setting({
    schema: z.boolean(),
    form: 'BOOLEAN',
    default: false,
    variable: 'GANTRY_ENABLE_MOCK_RUNNER',
    flag: 'enable-mock-runner',
    summary: 'Offers the runner `mock`, which can be ordered to fail in every way; for tests and demonstrations.',
    side: 'SERVER',
  }),
  nodeName: setting({
    schema: name,
    form: 'TEXT',
    default: 'local',
    variable: 'GANTRY_NODE_NAME',
    flag: 'node-name',
    summary: 'The name of the node that the server itself is.',
    side: 'SERVER',
  }),
  nodeSlots: setting({
    schema: wholeNumber(1_000_000).nullable(),
    form: 'NUMBER',
    default: null,
    absent: '64, or 16 for each core where that is more',
    variable: 'GANTRY_NODE_SLOTS',
    flag: 'node-slots',
    summary: 'How many attempts the local node may run at once; 0 for none.',
    side: 'SERVER',
  }),
  diskReserve: setting({
    schema: z.number().min(0).max(90),
    form: 'NUMBER',
    default: 10,
    variable: 'GANTRY_DISK_RESERVE',
    flag: 'disk-reserve',
    summary:
      'Percent of a disk below which it counts as full, or 2 GiB where that is less: the local node takes no work then, and says so. Warned is at one and a half of it; at half of it the server takes no new runs. 0 turns it off.',
    side: 'SERVER',
  }),
  ballast: setting({
    schema: wholeNumber(65_536),
    form: 'NUMBER',
    default: 128,
    variable: 'GANTRY_BALLAST',
    flag: 'ballast',
    summary:
      'Mebibytes that a server with SQLite sets aside in its data folder, where the disk has plenty: they are set free when it is full, so that the server can still write what makes room. 0 for none.',
    side: 'SERVER',
  }),
  nodeResources: setting({
    schema: nodeResources,
    form: 'MAP',
    default: {},
    variable: 'GANTRY_NODE_RESOURCES',
    flag: 'node-resources',
    summary:
      'What the local node has of resources that tasks ask for, such as `gpu=2,licence=5`; replaces what was found of `cpu`, `memory` and `disk`.',
    side: 'SERVER',
  }),
  nodeLabels: setting({
    schema: z.record(z.string().regex(/^[A-Za-z0-9]([A-Za-z0-9._/-]{0,125}[A-Za-z0-9])?$/), z.string().max(256)),
    form: 'MAP',
    default: {},
    variable: 'GANTRY_NODE_LABELS',
    flag: 'node-labels',
    summary: "Labels of the local node, for a task's `nodeSelector`.",
    side: 'SERVER',
  }),
  scheduler: setting({
    schema: name,
    form: 'TEXT',
    default: 'priority',
    variable: 'GANTRY_SCHEDULER',
    flag: 'scheduler',
    summary: 'The scheduler that the pool `default` gets when it is made.',
    side: 'SERVER',
  }),
  schedulerConfig: setting({
    schema: json,
    form: 'JSON',
    default: {},
    variable: 'GANTRY_SCHEDULER_CONFIG',
    flag: 'scheduler-config',
    summary: 'The config of that scheduler.',
    side: 'SERVER',
  }),
  allowedOrigins: setting({
    schema: z.array(origin).max(100),
    form: 'LIST',
    default: [],
    variable: 'GANTRY_ALLOWED_ORIGINS',
    flag: 'allowed-origins',
    summary: "Origins of web pages that may use the API, beside the server's own.",
    side: 'SERVER',
  }),
  runners: setting({
    schema: z.record(name, json),
    form: 'JSON',
    default: {},
    variable: 'GANTRY_RUNNERS',
    flag: 'runners',
    summary: 'The local node\'s settings per runner, for example `{ "http": { "allow": ["10.0.0.0/8"] } }`.',
    side: 'SERVER',
  }),
  retentionAge: setting({
    schema: durationOrNever.nullable(),
    form: 'TEXT',
    default: null,
    absent: '`30d`; `never` in a database that had runs before Gantry deleted any',
    variable: 'GANTRY_RETENTION_AGE',
    flag: 'retention-age',
    summary:
      'How long after its end a run is deleted, with all that is its own, or `never`. Pools and pipelines may have their own (`gantry set-retention`).',
    side: 'SERVER',
  }),
  retentionRuns: setting({
    schema: z
      .union([wholeNumber(1_000_000_000), z.string()])
      .refine(
        (value) => (typeof value === 'number' ? value >= 1 : value === 'never' || /^[1-9]\d{0,8}$/.test(value)),
        'must be a whole number from 1, or never',
      )
      .nullable(),
    form: 'TEXT',
    default: null,
    absent: '`10000`; `never` in a database that had runs before Gantry deleted any',
    variable: 'GANTRY_RETENTION_RUNS',
    flag: 'retention-runs',
    summary: 'How many of the newest runs of each pipeline are kept, or `never` to delete none for their number.',
    side: 'SERVER',
  }),
  retentionAudit: setting({
    schema: durationOrNever.nullable(),
    form: 'TEXT',
    default: null,
    absent: '`365d`; `never` as for `retentionAge`',
    variable: 'GANTRY_RETENTION_AUDIT',
    flag: 'retention-audit',
    summary: 'How long audit records are kept, or `never` to delete none.',
    side: 'SERVER',
  }),
  retentionKeys: setting({
    schema: duration,
    form: 'TEXT',
    default: '7d',
    variable: 'GANTRY_RETENTION_KEYS',
    flag: 'retention-keys',
    summary: 'How long an idempotency key counts: used again within this time, it starts nothing.',
    side: 'SERVER',
  }),
  retentionEvents: setting({
    schema: duration,
    form: 'TEXT',
    default: '7d',
    variable: 'GANTRY_RETENTION_EVENTS',
    flag: 'retention-events',
    summary:
      'How long the event log goes back, and with it the cursors of subscriptions; at most 50,000 batches of each pool.',
    side: 'SERVER',
  }),
  retentionInterval: setting({
    schema: duration,
    form: 'TEXT',
    default: '1m',
    variable: 'GANTRY_RETENTION_INTERVAL',
    flag: 'retention-interval',
    summary: 'The time between two searches for what has expired.',
    side: 'SERVER',
  }),
  secretsDir: setting({
    schema: z.string().min(1).nullable(),
    form: 'TEXT',
    default: null,
    absent: 'secrets come from variables `GANTRY_SECRET_<NAME>` only',
    variable: 'GANTRY_SECRETS_DIR',
    flag: 'secrets-dir',
    summary: 'The folder with the secrets of the local node: a file per name, open to its owner alone.',
    isPath: true,
    side: 'SERVER',
  }),
  httpAllow: setting({
    schema: z.array(z.string().min(1)).max(1000).nullable(),
    form: 'LIST',
    default: null,
    absent: 'public addresses only',
    variable: 'GANTRY_HTTP_ALLOW',
    flag: 'http-allow',
    summary:
      'Private addresses that the HTTP runner of the local node may reach; the same as `runners.http.allow`, and wins over it.',
    side: 'SERVER',
  }),
  insecure: setting({
    schema: z.boolean(),
    form: 'BOOLEAN',
    default: false,
    variable: 'GANTRY_INSECURE',
    flag: 'insecure',
    summary:
      'Listens beyond loopback without TLS: only behind a proxy that adds it, or in a network that you trust with the tokens.',
    side: 'SERVER',
  }),
  url: setting({
    schema: z.url({ protocol: /^https?$/, error: 'must be an address such as http://127.0.0.1:4000' }).nullable(),
    form: 'TEXT',
    default: null,
    absent: 'made of `host` and `port`',
    variable: 'GANTRY_URL',
    flag: 'url',
    summary: 'The server that client commands talk to.',
    side: 'CLIENT',
  }),
  token: setting({
    schema: z.string().min(1).nullable(),
    form: 'TEXT',
    default: null,
    absent: '`adminToken`, or else what the local server wrote into its data folder',
    variable: 'GANTRY_TOKEN',
    flag: 'token',
    summary: 'The token that client commands send.',
    isSecret: true,
    side: 'CLIENT',
  }),
} as const;

export type SettingName = keyof typeof SETTINGS;
type Values = { readonly [Name in SettingName]: z.output<(typeof SETTINGS)[Name]['schema']> };

/** Everything that can be configured, checked, with defaults filled in and paths made absolute. */
export interface Config extends Omit<Values, 'databaseUrl' | 'logFormat' | 'httpAllow'> {
  /** `sqlite:` and an absolute path, or `mysql://…`. */
  readonly databaseUrl: string;
  readonly logFormat: 'json' | 'pretty';
}

/** The settings by name, for those who go through all of them. */
export const settingNames = Object.keys(SETTINGS) as readonly SettingName[];
