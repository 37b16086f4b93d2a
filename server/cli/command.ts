import type { Client } from './client.ts';
import type { Connection } from './connection.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { SettingName } from '../config/schema.ts';
import type { ExitCode } from './exit-code.ts';
import type { Output } from './output.ts';

/** One command: the table that `gantry help`, the docs and the shell completion are made of. */
export interface Command {
  /** As it is typed: `run`, `tokens create`. */
  readonly name: string;
  readonly summary: string;
  /** Paragraphs below the summary in its help. */
  readonly details?: string;
  readonly arguments?: readonly Argument[];
  readonly options?: readonly Option[];
  /** Whether the server's settings are flags of it. */
  readonly takesServerSettings?: boolean;
  readonly examples: readonly Example[];
  run(invocation: Invocation): Promise<ExitCode>;
}

export interface Argument {
  readonly name: string;
  readonly summary: string;
  readonly isOptional?: boolean;
}

export interface Option {
  /** `-f, --file <path>`; without `<…>` it is a switch. */
  readonly flags: string;
  readonly summary: string;
  readonly isRepeatable?: boolean;
  readonly isRequired?: boolean;
  readonly choices?: readonly string[];
  readonly default?: string;
}

export interface Example {
  readonly command: string;
  readonly meaning: string;
}

/** One call of a command. */
export interface Invocation {
  /** In the order of the command's arguments; undefined for an optional one that is not there. */
  readonly arguments: readonly (string | undefined)[];
  readonly options: Options;
  readonly context: Context;
}

/** Typed access to what commander parsed. */
export interface Options {
  text(name: string): string | undefined;
  texts(name: string): readonly string[];
  is(name: string): boolean;
}

/** The world of a command: everything that it may touch, so that tests can hand in another. */
export interface Context {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute. */
  readonly cwd: string;
  readonly output: Output;
  readonly stdin: AsyncIterable<Uint8Array | string>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Calls the listener at every Ctrl-C or SIGTERM until the returned function is called. */
  readonly onInterrupt: (listener: () => void) => () => void;
  /** Ends the process without waiting for anything. */
  readonly exitNow: (code: ExitCode) => void;
  /** The configuration with the settings that came as flags. Reported where it is wrong. */
  config(side: 'SERVER' | 'CLIENT'): Extract<LoadedConfig, { readonly ok: true }>;
  /** The flags that are settings, as they were given. */
  readonly settingFlags: Readonly<Partial<Record<SettingName, string | boolean>>>;
  /** A client of the server that the configuration names, or of the one given. */
  connect(connection?: Connection): Client;
}
