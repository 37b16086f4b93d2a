import { EXIT_CODES, type ExitCode } from './exit-code.ts';

/** Ends a command: what is wrong, and what to do about it. Printed without a stack. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly exitCode: ExitCode;
  /** For programs: `UNREACHABLE`, `RUN_NOT_FOUND`. */
  readonly code: string;
  readonly remedy: string | null;
  /** More lines, already rendered, below the message. */
  readonly details: readonly string[];

  constructor(facts: {
    readonly message: string;
    readonly code?: string;
    readonly remedy?: string | null;
    readonly exitCode?: ExitCode;
    readonly details?: readonly string[];
  }) {
    super(facts.message);
    this.code = facts.code ?? 'REFUSED';
    this.remedy = facts.remedy ?? null;
    this.exitCode = facts.exitCode ?? EXIT_CODES.REFUSED.code;
    this.details = facts.details ?? [];
  }
}

/** `RunAlreadyFinished` as programs know it: `RUN_ALREADY_FINISHED`. */
export function codeOfType(typename: string): string {
  return typename
    .replace(/Error$/, '')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toUpperCase();
}
