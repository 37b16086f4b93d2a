import { accessSync, constants } from 'node:fs';
import type { Detection } from '@gantry/plugin-kit/runner';
import { BadSettings } from './settings.ts';
import type { ShellNode } from './shell-node.ts';

/** What the runner finds of itself on a node. @param open May throw BadSettings. */
export function detected(open: () => ShellNode): Detection {
  try {
    accessSync('/bin/sh', constants.X_OK);
    accessSync('/proc/self/stat', constants.R_OK);
  } catch (error) {
    const message = `It needs /bin/sh and Linux’ /proc: ${(error as Error).message}.`;
    return { health: 'ABSENT', reason: { code: 'NO_SHELL', message } };
  }
  try {
    const { kind, groups, settings } = open();
    if (!('why' in groups))
      return { health: 'HEALTHY', attributes: { limits: kind }, enforces: [...groups.controllers] };
    const message = `Memory and pids are looked at instead of kept by the kernel, cpu is not limited: ${groups.why}.`;
    return {
      // What the operator asked for and does not get is no detail.
      health: settings.cgroup === undefined ? 'HEALTHY' : 'UNHEALTHY',
      ...(settings.cgroup !== undefined && { reason: { code: 'NO_CONTROL_GROUPS', message } }),
      attributes: { limits: kind },
      enforces: ['memory', 'pids'],
    };
  } catch (error) {
    const code = error instanceof BadSettings ? 'BAD_SETTINGS' : 'NODE_FAULT';
    return { health: 'UNHEALTHY', reason: { code, message: (error as Error).message } };
  }
}
