/** What the process exits with. Scripts rely on the numbers. */
export const EXIT_CODES = {
  SUCCEEDED: { code: 0, meaning: 'Done; with `--follow`, the run SUCCEEDED.' },
  FAILED: { code: 1, meaning: 'The run FAILED, the pipeline is invalid, or something unexpected went wrong.' },
  REFUSED: {
    code: 2,
    meaning: 'Wrong usage or configuration, or the server refused: unknown run, missing param, no permission.',
  },
  CANCELLED: { code: 3, meaning: 'The run was CANCELLED.' },
  UNREACHABLE: { code: 4, meaning: 'The server cannot be reached, or contact was lost for too long.' },
  IN_USE: { code: 5, meaning: 'Another process has the data folder: `gantry server` and `gantry start` end at once.' },
  DETACHED: { code: 130, meaning: 'Ctrl-C while following: the run goes on.' },
} as const;

export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES]['code'];

/** The exit code of a run's outcome. */
export function exitCodeOfRun(state: string): ExitCode {
  if (state === 'SUCCEEDED') return EXIT_CODES.SUCCEEDED.code;
  return state === 'CANCELLED' ? EXIT_CODES.CANCELLED.code : EXIT_CODES.FAILED.code;
}
