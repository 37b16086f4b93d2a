/** What the runner asks of a helper: one JSON line. */
export interface StartMessage {
  readonly id: string;
  /** Holds `stdout`, `stderr` and `exit`; is there already. */
  readonly folder: string;
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** A file to read from; null for none. */
  readonly stdin: string | null;
}

/** What a helper answers: one JSON line each. */
export type HelperMessage =
  | { readonly id: string; readonly type: 'STARTED'; readonly pid: number }
  | { readonly id: string; readonly type: 'FAILED'; readonly code: string; readonly message: string }
  | ({ readonly id: string; readonly type: 'EXITED' } & Exit);

/** How a command ended: with a code, or by a signal. Also the content of the file `exit`. */
export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
  /** Bytes in the two output files at the end. */
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
}
