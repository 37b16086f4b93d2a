import type { ConfigSchema } from './config.ts';

/** What every plugin says of itself. */
export interface PluginHeader<Kind extends string, Config> {
  readonly kind: Kind;
  /** What people write: `scheduler: bin-packing`. Lower case letters, digits, dashes; unique per kind. */
  readonly name: string;
  /** The plugin's own semantic version. */
  readonly version: string;
  /** The CONTRACT that it was built with. */
  readonly contract: string;
  /** One sentence for lists and forms. */
  readonly summary: string;
  readonly config: ConfigSchema<Config>;
}
