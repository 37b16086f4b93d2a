import { readdirSync, readFileSync } from 'node:fs';
import { nameOf } from './attempt-files.ts';
import type { ProcessIdentity } from './process-table.ts';

/** The folders of helpers bear this name and a number that no other ever has. */
export const HELPER_FOLDER = 'helper-';

/** What a helper's journal says of one attempt. */
export interface JournalEntry {
  readonly helper: ProcessIdentity;
  /** Whose files its output went to (AttemptFiles); null when they are another's by now, and it had printed nothing. */
  readonly streams: string | null;
  /** How the command ended, as text of a shell; null while nothing is written. */
  readonly status: string | null;
  /** What the shell itself said while it ran the command: of a signal, or why it could not go on. */
  readonly remark: string;
  /** Processor time of the command and of all that was waited for; null while it is not known. Milliseconds. */
  readonly cpuMs: number | null;
}

/** Reads what a journal says of an attempt; null when it was never begun there. The format is helper.sh's. */
export function readJournal(path: string, attempt: string): JournalEntry | null {
  let text: string;
  try {
    text = readFileSync(path, 'latin1');
  } catch {
    return null;
  }
  const begun = Math.max(text.lastIndexOf(`\n+ ${attempt}\n`), text.lastIndexOf(`\n+ ${attempt} `));
  const helper = identityIn(text);
  if (begun < 0 || helper === null) return null;
  const line = text.slice(begun + 1, text.indexOf('\n', begun + 1));
  const streams = line.slice(attempt.length + 3) || nameOf(attempt);
  const said = text.slice(begun + line.length + 2);
  const ended = /^- (\S+) (\d+|cd)$/m.exec(said);
  const isOurs = ended?.[1] === attempt;
  const between = isOurs ? said.slice(0, ended!.index) : said;
  return {
    helper,
    streams: isPassedOn(streams, said) ? null : streams,
    status: isOurs ? ended![2]! : null,
    remark: between.replace(TIMES, '').trim(),
    cpuMs: isOurs ? cpuMsIn(between) : null,
  };
}

/** Whether the files went to another attempt later. */
const isPassedOn = (streams: string, saidSince: string): boolean =>
  saidSince.split('\n').some((line) => line.startsWith('+ ') && line.endsWith(` ${streams}`));

/** What `times` of a shell prints, one line: user and system time. */
const TIMES = /^(\d+)m(\d+[.,]\d+)s (\d+)m(\d+[.,]\d+)s\n?/gm;

/** The children's time at the end without that at the beginning: the last line of the last two, and of the first two. */
function cpuMsIn(text: string): number | null {
  const times = [...text.matchAll(TIMES)].map(
    ([, userMinutes, userSeconds, systemMinutes, systemSeconds]) =>
      (Number(userMinutes) + Number(systemMinutes)) * 60_000 +
      (secondsOf(userSeconds!) + secondsOf(systemSeconds!)) * 1_000,
  );
  return times.length < 4 ? null : Math.max(0, Math.round(times.at(-1)! - times[1]!));
}
const secondsOf = (text: string): number => Number(text.replace(',', '.'));

/** An attempt's entry, and the journal that it was found in. */
export interface Found {
  readonly folder: string;
  readonly path: string;
  readonly entry: JournalEntry;
}

/** Whether a helper has begun nothing that has not ended: what its agent has last written to it may still be begun. */
export function isIdleJournal(path: string): boolean {
  let lines: readonly string[] = [];
  try {
    lines = readFileSync(path, 'latin1').split('\n');
  } catch {
    // Removed meanwhile, with its helper.
  }
  const last = lines.findLast((line) => line.startsWith('+ ') || line.startsWith('- '));
  return last === undefined || last.startsWith('- ');
}

/** The attempt that a helper has begun last; null for none. */
export const lastBegunIn = (path: string): string | null => attemptsIn(path).at(-1) ?? null;

/** The attempts that a journal tells of. */
export function attemptsIn(path: string): readonly string[] {
  try {
    const begun = readFileSync(path, 'latin1').matchAll(/^\+ (\S+)/gm);
    return Array.from(begun, ([, attempt]) => attempt!);
  } catch {
    return [];
  }
}

/** Who wrote the journal; null when it has not come to that. */
export function helperOf(path: string): ProcessIdentity | null {
  try {
    return identityIn(readFileSync(path, 'latin1'));
  } catch {
    return null;
  }
}

/** The names of all helpers' folders. */
export function helperFolders(stateDirectory: string): readonly string[] {
  try {
    return readdirSync(stateDirectory).filter((name) => name.startsWith(HELPER_FOLDER));
  } catch {
    return [];
  }
}

function identityIn(journal: string): ProcessIdentity | null {
  // pid, boot id, then the fields of stat; the second of those is the name, in brackets, and may hold blanks.
  const match = /^helper (\d+) (\S+) \d+ \(.*\) (.*)$/m.exec(journal);
  if (!match) return null;
  return { pid: Number(match[1]), bootId: match[2]!, startTicks: Number(match[3]!.split(' ')[19]) };
}
