import type { Reason } from '@gantry/plugin-kit/vocabulary';

/** OK: nothing to do. WARNING: works, and should be looked at. FAILURE: loses work or keeps the server from serving. */
export type FindingStatus = 'OK' | 'WARNING' | 'FAILURE';

/** What one check found. */
export interface Finding {
  /** What was checked: `disk space`. */
  readonly check: string;
  readonly status: FindingStatus;
  readonly message: string;
  /** What to do; null where there is nothing to do. */
  readonly remedy: string | null;
}

/** A check that found nothing wrong. */
export const ok = (check: string, message: string): Finding => ({ check, status: 'OK', message, remedy: null });

export const warning = (check: string, message: string, remedy: string): Finding => ({
  check,
  status: 'WARNING',
  message,
  remedy,
});

export const failure = (check: string, message: string, remedy: string): Finding => ({
  check,
  status: 'FAILURE',
  message,
  remedy,
});

/** A check that could not be made, with what kept it. */
export const notChecked = (check: string, error: unknown): Finding & Pick<Reason, 'message'> =>
  failure(
    check,
    error instanceof Error ? error.message : String(error),
    'Mend this first, then run `gantry doctor` again.',
  );
