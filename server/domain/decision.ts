/** How the placements of one step were decided. Its step's sequence and its pool name it. */
export interface DecisionRow {
  readonly at: number;
  /** The plugin that was asked, and its version. */
  readonly scheduler: string;
  readonly version: string;
  /** SHA-256 of its config as JSON, in hex. */
  readonly configHash: string;
  readonly seed: number;
  /** How many task runs it was offered, and how many were placed. */
  readonly offered: number;
  readonly placed: number;
  /** The whole call, packed; null when keeping it would have cost too much just then. */
  readonly call: string | null;
}

/** A decision with its name. */
export interface StoredDecision extends DecisionRow {
  readonly pool: string;
  readonly seq: number;
}
