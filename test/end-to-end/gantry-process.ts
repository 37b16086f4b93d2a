import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/** A `gantry` process whose NDJSON is read while it is written. */
export interface GantryProcess {
  readonly child: ChildProcess;
  /** Everything that came on standard output so far. */
  readonly events: readonly Event[];
  /** The first event that the test accepts. Rejects with all output when the process ends before. */
  event(test: (event: Event) => boolean): Promise<Event>;
  /** The exit code; null when a signal ended it. */
  ended(): Promise<number | null>;
  /** What it wrote on standard error so far. */
  stderr(): string;
}
export type Event = Readonly<Record<string, unknown>>;

/** Starts `bin/gantry`, which becomes the process itself, with `--json`. Of the environment only PATH is handed on. */
export function spawnGantry(words: readonly string[], env: Readonly<Record<string, string>> = {}): GantryProcess {
  const child = spawn(join(ROOT, 'bin/gantry'), [...words, '--json'], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const events: Event[] = [];
  const waiting = new Set<() => void>();
  let rest = '';
  let stderr = '';
  let exit: { readonly code: number | null } | null = null;
  const tell = (): void => waiting.forEach((wake) => wake());
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    // A whole document, as lists print it, is spread over lines and is no event.
    for (const line of lines) if (line.startsWith('{') && line.endsWith('}')) events.push(JSON.parse(line) as Event);
    tell();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.on('close', (code) => {
    exit = { code };
    tell();
  });
  const until = <Value>(look: () => Value | undefined): Promise<Value> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        try {
          const found = look();
          if (found === undefined) return;
          waiting.delete(check);
          resolve(found);
        } catch (error) {
          waiting.delete(check);
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      waiting.add(check);
      check();
    });
  return {
    child,
    events,
    stderr: () => stderr,
    event: (test) =>
      until(() => {
        const found = events.find(test);
        if (found === undefined && exit !== null) {
          throw new Error(`gantry ended with ${exit.code}:\n${JSON.stringify(events.slice(-5))}\n${stderr}`);
        }
        return found;
      }),
    ended: () => until(() => exit ?? undefined).then(({ code }) => code),
  };
}
