import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, statSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { readText, tryToWrite, type Controller, type ControlGroup } from './control-group.ts';
import { ControlGroup1, type Folders } from './control-group-1.ts';
import { ControlGroup2 } from './control-group-2.ts';

/** The names of all attempts' groups begin like this; none of the kernel's files does. */
const ATTEMPT = 'attempt-';
const CONTROLLERS: readonly Controller[] = ['memory', 'cpu', 'pids'];

/** The control groups that an agent may make for its attempts. */
export interface ControlGroups {
  readonly version: 1 | 2;
  /** What they limit. */
  readonly controllers: readonly Controller[];
  /** The group of an attempt, made or not. @param name Of no two attempts; without a slash. */
  groupOf(name: string): ControlGroup;
}

/** Why there are none, as the end of a sentence. */
export interface NoControlGroups {
  readonly why: string;
}

interface Mount {
  readonly folder: string;
  readonly type: string;
  readonly options: readonly string[];
}

/**
 * Looks for control groups that the agent may use: those that its operator names, or those of a systemd unit with
 * `Delegate=yes` and a `DelegateSubgroup=` in which the agent is. No others: a group that was not given to the agent is
 * somebody else's, even where root could write it.
 *
 * @param path As `settings.cgroup` has it: from the root of the hierarchy. Made where it is missing.
 */
export function openControlGroups(path: string | undefined): ControlGroups | NoControlGroups {
  const base = path === undefined ? delegatedPath() : normalize(`/${path}`);
  if (base === null) return { why: 'no control group is delegated to the agent, and its setting `cgroup` names none' };
  if (base === '/') return { why: 'the setting `cgroup` names the root of all groups, which is nobody’s to use' };
  const mounts = mountsOf(readFileSync('/proc/self/mounts', 'latin1'));
  const unified = mounts.find(({ type }) => type === 'cgroup2');
  const problems: string[] = [];
  // Where some controllers are on v1, the unified hierarchy has none to give.
  for (const open of [() => openUnified(unified, base), () => openSeparate(mounts, base)]) {
    try {
      const groups = open();
      if (groups !== null) return groups;
    } catch (error) {
      problems.push((error as Error).message);
    }
  }
  return { why: problems[0] ?? `no hierarchy of control groups has any of ${CONTROLLERS.join(', ')} for ${base}` };
}

/** What is left of agents that never came back for their attempts is removed after so long. Milliseconds. */
const KEPT_MS = 24 * 60 * 60 * 1000;

function openUnified(mount: Mount | undefined, base: string): ControlGroups | null {
  if (mount === undefined) return null;
  if (!CONTROLLERS.some((name) => wordsOf(mount.folder, 'cgroup.controllers').includes(name))) return null;
  const folder = join(mount.folder, base);
  let above = mount.folder;
  for (const step of [...base.split('/').filter(Boolean), '']) {
    for (const name of CONTROLLERS)
      if (!wordsOf(above, 'cgroup.subtree_control').includes(name))
        tryToWrite(above, 'cgroup.subtree_control', `+${name}`);
    if (step === '') break;
    above = join(above, step);
    if (!existsSync(above)) mkdirSync(above);
  }
  probe(folder);
  const enabled = wordsOf(folder, 'cgroup.subtree_control');
  const controllers = CONTROLLERS.filter((name) => enabled.includes(name));
  if (controllers.length === 0) {
    const isBusy = readText(folder, 'cgroup.procs').trim() !== '';
    throw new Error(
      isBusy
        ? `the control group ${folder} has processes of its own, and so can pass on nothing; the agent needs one beside or above them`
        : `the control group ${folder} is given none of ${CONTROLLERS.join(', ')}`,
    );
  }
  return { version: 2, controllers, groupOf: (name) => new ControlGroup2(join(folder, ATTEMPT + name), controllers) };
}

function openSeparate(mounts: readonly Mount[], base: string): ControlGroups | null {
  const separate = mounts.filter(({ type }) => type === 'cgroup');
  const folderOf = (controller: string): string | undefined => {
    const mount = separate.find(({ options }) => options.includes(controller));
    return mount && join(mount.folder, base);
  };
  const bases: Record<string, string> = {};
  for (const name of ['memory', 'cpu', 'cpuacct', 'pids']) {
    const folder = folderOf(name);
    if (folder === undefined) continue;
    mkdirSync(folder, { recursive: true });
    probe(folder);
    bases[name] = folder;
  }
  const controllers = CONTROLLERS.filter((name) => bases[name] !== undefined);
  if (controllers.length === 0) return null;
  return {
    version: 1,
    controllers,
    groupOf(name) {
      const folders: Record<string, string> = {};
      for (const controller in bases) folders[controller] = join(bases[controller]!, ATTEMPT + name);
      return new ControlGroup1(folders as Folders);
    },
  };
}

/** Throws what stands in the way of making groups there. Removes empty ones that nobody will ask for. */
function probe(folder: string): void {
  const path = join(folder, `probe-${process.pid}`);
  mkdirSync(path);
  rmdirSync(path);
  for (const name of readdirSync(folder).filter((other) => other.startsWith(ATTEMPT))) {
    try {
      if (statSync(join(folder, name)).mtimeMs < Date.now() - KEPT_MS) rmdirSync(join(folder, name));
    } catch {
      // Something still runs in it, or it has gone.
    }
  }
}

/** Of `/a.service/agent`, which systemd makes for DelegateSubgroup=agent, `/a.service/attempts`. */
function delegatedPath(): string | null {
  const own = /^0::(.+)$/m.exec(readText('/proc/self', 'cgroup'))?.[1] ?? '';
  const unit = /^(.*\/(?!user@)[^/]+\.(?:service|scope))\/[^/]+$/.exec(own)?.[1];
  return unit === undefined ? null : `${unit}/attempts`;
}

function mountsOf(text: string): readonly Mount[] {
  return text.split('\n').flatMap((line) => {
    const [, folder, type, options] = line.split(' ');
    if (folder === undefined || type === undefined || options === undefined) return [];
    const decoded = folder.replaceAll(/\\(\d{3})/g, (_, code: string) =>
      String.fromCodePoint(Number.parseInt(code, 8)),
    );
    return [{ folder: decoded, type, options: options.split(',') }];
  });
}

const wordsOf = (folder: string, file: string): readonly string[] => readText(folder, file).split(/\s+/);
