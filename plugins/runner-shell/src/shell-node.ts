import type { Resources, RunnerNode } from '@gantry/plugin-kit/runner';
import type { Bounds } from './bounds.ts';
import { AttemptFiles } from './attempt-files.ts';
import type { ControlGroup } from './control-group.ts';
import { openControlGroups, type ControlGroups, type NoControlGroups } from './control-groups.ts';
import { FormerAttempts } from './find-attempt.ts';
import { Helpers } from './helpers.ts';
import { helperFolders } from './journal.ts';
import { KeptAttempts } from './kept-attempts.ts';
import { limitsOf } from './limits.ts';
import { settingsOf, type Settings } from './settings.ts';
import { sweepUserFolders, UserFolder, userFoldersOf } from './user-folder.ts';
import type { User } from './user.ts';

/** What this runner keeps of one node between attempts. */
export class ShellNode {
  readonly settings: Settings;
  readonly groups: ControlGroups | NoControlGroups;
  readonly helpers: Helpers;
  /** What is kept of attempts that have ended. */
  readonly kept = new KeptAttempts();
  /** What agents before have left. */
  readonly former: FormerAttempts;
  readonly #userFolders: string;
  readonly #hasFormer: boolean;

  /** Throws BadSettings. */
  constructor({ stateDirectory, settings }: RunnerNode) {
    this.settings = settingsOf(settings);
    this.groups = openControlGroups(this.settings.cgroup);
    this.#userFolders = userFoldersOf(stateDirectory, this.settings.userFolder);
    this.former = new FormerAttempts(stateDirectory);
    this.#hasFormer = helperFolders(stateDirectory).length > 0;
    this.helpers = new Helpers(stateDirectory, this.settings.helperShell);
    if (!this.helpers.hasForerunners) void sweepUserFolders(this.#userFolders);
  }

  /** Nobody will ask for this attempt any more: removes what is kept of it, also by an agent before. */
  async forget(attempt: string): Promise<void> {
    const isOurs = await this.kept.forget(attempt);
    if (!this.#hasFormer) return;
    const found = isOurs ? null : this.former.find(attempt);
    if (found !== null) await new AttemptFiles(found.folder, attempt, null, found.entry.streams).remove();
    this.former.release(attempt);
  }

  /** How limits are kept here. */
  get kind(): 'cgroup2' | 'cgroup1' | 'rlimit' {
    return 'why' in this.groups ? 'rlimit' : `cgroup${this.groups.version}`;
  }

  /** The control group of an attempt, which need not be there; null where there are none. */
  groupOf(name: string): ControlGroup | null {
    return 'why' in this.groups ? null : this.groups.groupOf(name);
  }

  /** The folder of an attempt that runs as another user, which need not be there. */
  userFolderOf(name: string, user: User): UserFolder {
    return new UserFolder(this.#userFolders, name, user);
  }

  boundsOf(
    resources: Resources,
    { pids, maxOutputBytes }: { readonly pids?: number | undefined; readonly maxOutputBytes?: number | undefined },
    group: ControlGroup | null,
  ): Bounds {
    return {
      limits: limitsOf(resources, pids),
      group,
      controllers: group === null || 'why' in this.groups ? [] : this.groups.controllers,
      maxOutputBytes: maxOutputBytes ?? null,
    };
  }
}
