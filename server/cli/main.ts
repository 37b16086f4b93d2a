import process from 'node:process';
import { systemClock } from '../clock.ts';
import { EXIT_CODES, type ExitCode } from './exit-code.ts';
import { runCommandLine } from './program.ts';

// Whoever reads only the first lines (`| head`) closes the pipe: that is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT_CODES.SUCCEEDED.code);
  throw error;
});

/** Listens for both, because a service manager sends the one and a terminal the other. */
function onInterrupt(listener: () => void): () => void {
  process.on('SIGINT', listener);
  process.on('SIGTERM', listener);
  return () => {
    process.off('SIGINT', listener);
    process.off('SIGTERM', listener);
  };
}

function failUnexpectedly(error: unknown): ExitCode {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`error: something unexpected went wrong in gantry itself.\n${text}\n`);
  return EXIT_CODES.FAILED.code;
}

const exitCode = await runCommandLine(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  now: () => systemClock.now(),
  sleep: (ms, signal) => systemClock.sleep(ms, signal),
  onInterrupt,
  exitNow: (code) => process.exit(code),
}).catch(failUnexpectedly);

// Connections that are kept alive would hold the process for seconds; what was written is flushed first.
process.stdout.write('', () => process.exit(exitCode));
