import { readdirSync, readFileSync } from 'node:fs';

/**
 * The processes of this machine that have one of these attempts in their environment (`GANTRY_ATTEMPT_ID`), as far as
 * this user may look; none where there is no /proc.
 */
export function leftProcesses(attempts: ReadonlySet<string>): readonly number[] {
  const found: number[] = [];
  for (const name of entriesOf('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    for (const variable of environmentOf(name)) {
      if (variable.startsWith(MARK) && attempts.has(variable.slice(MARK.length))) found.push(Number(name));
    }
  }
  return found;
}

const MARK = 'GANTRY_ATTEMPT_ID=';

function environmentOf(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
  } catch {
    // Ended meanwhile, or another user's.
    return [];
  }
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
