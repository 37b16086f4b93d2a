import type { Config, SettingName } from './schema.ts';
import { SETTINGS, settingNames } from './schema.ts';
import type { Source } from './load.ts';
import type { Setting } from './setting.ts';

/** A setting as `gantry config print` shows it. */
export interface PrintedSetting {
  readonly name: SettingName;
  /** Secrets are replaced. */
  readonly value: unknown;
  /** `default`, `gantry.config.yaml:3`, `GANTRY_PORT`, `--port`. */
  readonly from: string;
  readonly variable: string;
}

const HIDDEN = '••••';

/** Every setting with its value and where it came from. What is secret is not in it, also not inside a URL. */
export function printedSettings(
  config: Config,
  sources: Readonly<Record<SettingName, Source>>,
): readonly PrintedSetting[] {
  return settingNames.map((name) => ({
    name,
    value: printedValue(name, config),
    from: sources[name].place,
    variable: SETTINGS[name].variable,
  }));
}

function printedValue(name: SettingName, config: Config): unknown {
  const row: Setting = SETTINGS[name];
  if (name === 'httpAllow') return config.runners['http']?.['allow'] ?? null;
  if (name === 'databaseUrl') return withoutPassword(config.databaseUrl);
  const value: unknown = config[name];
  if (value === null || value === undefined) return null;
  return row.isSecret ? HIDDEN : value;
}

/** A database URL that may be shown: its password is replaced. */
export function withoutPassword(databaseUrl: string): string {
  // By text, because a password with a stray % or # would make URL refuse and the secret be printed.
  return databaseUrl.replace(/^(mysql:\/\/[^:@/]*):.*@/s, `$1:${HIDDEN}@`);
}
