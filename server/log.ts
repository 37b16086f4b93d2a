import pino, { type Logger } from 'pino';

export type { Logger } from 'pino';

const LEVELS: Readonly<Record<number, string>> = {
  10: 'TRACE',
  20: 'DEBUG',
  30: 'INFO',
  40: 'WARN',
  50: 'ERROR',
  60: 'FATAL',
};

/** The server's own log, on standard error: one JSON object per line, or lines for people. */
export function createLog(level: string, format: 'json' | 'pretty'): Logger {
  const options = { level, base: null };
  if (format === 'json') return pino(options, pino.destination({ dest: 2, sync: true }));
  return pino(options, { write: (line: string) => void process.stderr.write(prettyLine(line)) });
}

/** JSON keeps user text escaped, so a line stays a line. */
function prettyLine(line: string): string {
  const { level, time, msg, err, ...details } = JSON.parse(line) as Record<string, unknown> & {
    err?: { message?: string; stack?: string };
  };
  const at = new Date(Number(time)).toISOString().slice(11, 23);
  const extras = Object.entries(details).map(
    ([key, value]) => ` ${key}=${typeof value === 'string' ? JSON.stringify(value) : JSON.stringify(value)}`,
  );
  const fault = err ? ` ${JSON.stringify(err.message ?? '')}` : '';
  return `${at} ${LEVELS[Number(level)] ?? String(level)} ${JSON.stringify(msg).slice(1, -1)}${fault}${extras.join('')}\n`;
}
