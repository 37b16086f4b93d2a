import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { inexactMessage, inexactRemedy } from '@gantry/plugin-kit/exact-json';
import { decodeText } from '@gantry/plugin-kit/text';
import { isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import { didYouMean } from '../domain/suggestion.ts';
import { survives } from '../domain/written-number.ts';
import { CONFIG_FILES, SETTINGS, settingNames, type Config, type SettingName } from './schema.ts';
import { readText, type Setting } from './setting.ts';
import { writtenScalars } from './written-scalars.ts';

/*
 * Four sources, the later winning: default, file, environment, flag. Every problem of every source is reported at
 * once. A key or a variable that nobody knows is a problem too: a misspelt setting that is silently ignored is the
 * most expensive kind.
 */

/** Where a value came from. `place` is what to look at: `gantry.config.yaml:3`, `GANTRY_PORT`, `--port`. */
export interface Source {
  readonly kind: 'DEFAULT' | 'FILE' | 'ENVIRONMENT' | 'FLAG';
  readonly place: string;
}

/** Something wrong with the configuration: what, where, and what to do. */
export interface ConfigProblem {
  readonly place: string;
  readonly message: string;
  readonly remedy: string | null;
}

/** What the configuration is read from. */
export interface ConfigInput {
  /** By setting, as text. `true` is a flag without a value. */
  readonly flags?: Readonly<Partial<Record<SettingName, string | boolean>>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute. */
  readonly cwd: string;
  /** Where `--config` or GANTRY_CONFIG point instead of the usual names. */
  readonly file?: string;
  /** Whether the log goes to a terminal. */
  readonly isTerminal?: boolean;
  /** A client may name a server that listens anywhere. */
  readonly isClient?: boolean;
}

/** The configuration and where each value came from, or everything that is wrong with it. */
export type LoadedConfig =
  | {
      readonly ok: true;
      readonly config: Config;
      readonly sources: Readonly<Record<SettingName, Source>>;
      /** The file that was read; null when there is none. Absolute. */
      readonly file: string | null;
    }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** What a command inside a task, a Kubernetes service of the name `gantry`, tests and benches bring along. */
const FOREIGN_VARIABLES =
  /^GANTRY_((PARAM|SECRET|TEST|BENCH|PORT|SERVICE)_.*|ITEM|INDEX|INPUTS|OUTPUT|PROGRESS|CHECKPOINT|GPUS|ATTEMPT(_.*)?|RUN(_ID)?|TASK(_KEY|_RUN)?|PIPELINE|WORKDIR|CONFIG)$/;

interface Given {
  readonly value: unknown;
  readonly source: Source;
  /** What relative paths are relative to. */
  readonly base: string;
}

/** Reads the file and puts the four sources together. Touches nothing but that file, never throws. */
export function loadConfig(input: ConfigInput): LoadedConfig {
  const problems: ConfigProblem[] = [];
  const given = new Map<SettingName, Given>();
  const file = readConfigFile(input, given, problems);
  readEnvironment(input, given, problems);
  readFlags(input, given, problems);

  const values: Partial<Record<SettingName, unknown>> = {};
  const sources: Partial<Record<SettingName, Source>> = {};
  for (const name of settingNames) {
    const row: Setting = SETTINGS[name];
    const found = given.get(name) ?? { value: row.default, source: DEFAULT, base: input.cwd };
    sources[name] = found.source;
    const checked = row.schema.safeParse(found.value);
    if (checked.success) values[name] = located(name, checked.data, found.base);
    else problems.push(...schemaProblems(name, row, found, checked.error.issues));
  }
  if (problems.length > 0) return { ok: false, problems };

  const config = complete(values as CheckedValues, input);
  const listening = input.isClient ? null : listenProblem(config, sources.host ?? DEFAULT);
  if (listening !== null) return { ok: false, problems: [listening] };
  return { ok: true, config, sources: sources as Record<SettingName, Source>, file };
}

const DEFAULT: Source = { kind: 'DEFAULT', place: 'default' };

type CheckedValues = Omit<Config, 'databaseUrl' | 'logFormat'> & {
  readonly databaseUrl: string | null;
  readonly logFormat: 'json' | 'pretty' | null;
  readonly httpAllow: readonly string[] | null;
};

/** Fills in what depends on other settings. */
function complete(values: CheckedValues, { isTerminal = false }: ConfigInput): Config {
  const { httpAllow, ...rest } = values;
  const runners =
    httpAllow === null ? rest.runners : { ...rest.runners, http: { ...rest.runners['http'], allow: [...httpAllow] } };
  return {
    ...rest,
    runners,
    databaseUrl: rest.databaseUrl ?? `sqlite:${join(rest.dataDir, 'gantry.db')}`,
    logFormat: rest.logFormat ?? (isTerminal ? 'pretty' : 'json'),
  };
}

/** S24, S25: whoever can read the wire can read the token, and whoever has the token can run commands. */
function listenProblem(config: Config, source: Source): ConfigProblem | null {
  if (config.insecure || isLoopback(config.host)) return null;
  return {
    place: source.place,
    message: `Gantry would listen on ${config.host}, where others can reach it, without TLS`,
    remedy:
      'Listen on 127.0.0.1 behind a proxy that adds TLS. ' +
      'If the network between is trusted with the tokens, set GANTRY_INSECURE=true or --insecure.',
  };
}

/** Whether only this machine can reach a listener on the address. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost') return true;
  const address = host.replace(/^\[(.*)\]$/, '$1');
  return isIP(address) === 4 ? address.startsWith('127.') : address === '::1';
}

function readConfigFile(input: ConfigInput, given: Map<SettingName, Given>, problems: ConfigProblem[]): string | null {
  const named = input.file ?? input.env['GANTRY_CONFIG'];
  const candidates = named === undefined || named === '' ? CONFIG_FILES : [named];
  for (const candidate of candidates) {
    const path = resolve(input.cwd, candidate);
    let bytes: Buffer;
    try {
      bytes = readFileSync(path);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'ENOENT' && candidates === CONFIG_FILES) continue;
      const message = code === 'ENOENT' ? 'there is no such file' : `cannot be read (${code ?? String(error)})`;
      problems.push({ place: candidate, message, remedy: 'Name an existing file with --config or GANTRY_CONFIG.' });
      return path;
    }
    const decoded = decodeText(bytes);
    if (decoded.ok) readDocument(decoded.text, path, given, problems);
    else problems.push({ place: candidate, message: decoded.message, remedy: 'Save it as UTF-8.' });
    return path;
  }
  return null;
}

/** JSON is YAML, so one reader does both and knows the line of every key. */
function readDocument(text: string, path: string, given: Map<SettingName, Given>, problems: ConfigProblem[]): void {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const label = basename(path);
  const placeAt = (offset: number | undefined): string =>
    offset === undefined ? label : `${label}:${lines.linePos(offset).line}`;
  for (const error of document.errors) {
    const sentence = error.message.split(' at line ')[0] ?? error.message;
    problems.push({ place: placeAt(error.pos[0]), message: `${sentence}`, remedy: null });
  }
  for (const { offset, written, value } of writtenScalars(document.contents)) {
    if (typeof value !== 'number' || survives(value, written)) continue;
    problems.push({ place: placeAt(offset), message: inexactMessage(written), remedy: inexactRemedy(written) });
  }
  if (document.errors.length > 0 || document.contents === null) return;
  if (!isMap(document.contents)) {
    problems.push({ place: label, message: 'the file must hold settings as `key: value`', remedy: null });
    return;
  }
  for (const { key, value } of document.contents.items) {
    const keyName = isScalar(key) ? String(key.value) : String(key);
    const place = placeAt(isScalar(key) ? key.range?.[0] : undefined);
    if (!Object.hasOwn(SETTINGS, keyName)) {
      const meant = didYouMean(keyName, settingNames);
      const remedy = meant === null ? 'docs/reference/configuration.md lists them.' : `Did you mean “${meant}”?`;
      problems.push({ place, message: `there is no setting “${keyName}”`, remedy });
      continue;
    }
    const plain: unknown = value === null ? null : (value as { toJS(doc: typeof document): unknown }).toJS(document);
    given.set(keyName as SettingName, { value: plain, source: { kind: 'FILE', place }, base: dirname(path) });
  }
}

function readEnvironment(input: ConfigInput, given: Map<SettingName, Given>, problems: ConfigProblem[]): void {
  const byVariable = new Map<string, SettingName>(settingNames.map((name) => [SETTINGS[name].variable, name]));
  for (const [variable, text] of Object.entries(input.env)) {
    if (!variable.startsWith('GANTRY_') || text === undefined) continue;
    const name = byVariable.get(variable);
    if (name === undefined) {
      if (FOREIGN_VARIABLES.test(variable)) continue;
      const meant = didYouMean(variable, byVariable.keys());
      const remedy =
        meant === null ? 'Unset it; docs/reference/configuration.md lists them.' : `Did you mean ${meant}?`;
      problems.push({ place: variable, message: 'there is no such variable', remedy });
      continue;
    }
    // An empty variable is how a shell or a compose file says “not set”.
    if (text !== '') readGivenText(name, text, { kind: 'ENVIRONMENT', place: variable }, input, given, problems);
  }
}

function readFlags(input: ConfigInput, given: Map<SettingName, Given>, problems: ConfigProblem[]): void {
  for (const [name, text] of Object.entries(input.flags ?? {}) as [SettingName, string | boolean | undefined][]) {
    if (text === undefined) continue;
    const source: Source = { kind: 'FLAG', place: `--${SETTINGS[name].flag ?? name}` };
    readGivenText(name, String(text), source, input, given, problems);
  }
}

function readGivenText(
  name: SettingName,
  text: string,
  source: Source,
  { cwd }: ConfigInput,
  given: Map<SettingName, Given>,
  problems: ConfigProblem[],
): void {
  const read = readText(text, SETTINGS[name].form);
  if (read.ok) {
    given.set(name, { value: read.value, source, base: cwd });
    return;
  }
  const isServiceLink = name === 'port' && text.startsWith('tcp://');
  problems.push({
    place: source.place,
    message: read.message,
    remedy: isServiceLink
      ? 'Kubernetes sets this for a service of the name gantry: set enableServiceLinks: false in the pod.'
      : SETTINGS[name].summary,
  });
}

/** Paths become absolute: relative to the file that names them, or to the working folder. */
function located(name: SettingName, value: unknown, base: string): unknown {
  if (name === 'plugins')
    return (value as string[]).map((entry) => (entry.startsWith('.') ? resolve(base, entry) : entry));
  if (typeof value !== 'string') return value;
  if (name === 'databaseUrl' && value.startsWith('sqlite:')) {
    const path = value.slice('sqlite:'.length);
    return path === ':memory:' || isAbsolute(path) ? value : `sqlite:${resolve(base, path)}`;
  }
  const row: Setting = SETTINGS[name];
  return row.isPath ? resolve(base, value) : value;
}

function schemaProblems(
  name: SettingName,
  row: Setting,
  { value, source }: Given,
  issues: readonly { readonly message: string; readonly path: readonly PropertyKey[] }[],
): ConfigProblem[] {
  return issues.map((issue) => {
    const at = [name, ...issue.path.map(String)].join('.');
    const shown = row.isSecret || issue.path.length > 0 ? '' : ` (it is ${JSON.stringify(value)})`;
    return { place: source.place, message: `${at} ${sentenceOf(issue.message)}${shown}`, remedy: row.summary };
  });
}

/** zod's own messages begin with a capital and speak of an input. */
function sentenceOf(message: string): string {
  if (message.startsWith('must')) return message;
  return `is not right: ${message.charAt(0).toLowerCase()}${message.slice(1)}`;
}
