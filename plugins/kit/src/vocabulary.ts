/** The words that every plugin and the server share. No Node and no DOM types may appear here. */

/** Milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number;

/** Amounts by name. `cpu` in millicores, `gpu` in thousandths, `memory` and `disk` in bytes, anything else in whole units. Absent means 0. */
export type Resources = Readonly<Record<string, number>>;

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** Why something is not so: a code for programs, a sentence for people, and what would change it. */
export interface Reason {
  readonly code: string;
  readonly message: string;
  readonly remedy?: string;
}

/** A reason with the place in a document that it speaks of. */
export interface Problem extends Reason {
  readonly path: readonly (string | number)[];
}

/** The version of this contract. Major: a plugin must change. Minor: it may. Stamped into every plugin by `define*`. */
export const CONTRACT = '1.0';

/** What an attempt used up, as far as its runner knows; what it does not know it leaves out. */
export interface Usage {
  /** The most memory that everything it started held at one time. Bytes. */
  readonly peakMemoryBytes?: number;
  /** Time on a processor, user and system, of everything it started. Milliseconds. */
  readonly cpuMs?: number;
}

/** How far a piece of work has come. */
export interface Progress {
  /** From 0 to 1; null where nobody knows how much there is to do. */
  readonly fraction: number | null;
  /** So many … Null when it told a fraction only. */
  readonly done: number | null;
  /** … of so many, in the work's own unit. */
  readonly total: number | null;
  /** What it is at. */
  readonly message: string | null;
}

/** The most that an attempt's `saveState` takes. Bytes: of text as it is, of anything else as JSON. */
export const MAX_STATE_BYTES = 65_536;
