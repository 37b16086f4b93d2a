import type { Command } from './command.ts';
import { apply } from './commands/apply.ts';
import { backup } from './commands/backup.ts';
import { cancel } from './commands/cancel.ts';
import { completionCommand } from './commands/completion.ts';
import { printConfig } from './commands/config.ts';
import { doctor } from './commands/doctor.ts';
import { deleteRun } from './commands/delete-run.ts';
import { logs } from './commands/logs.ts';
import { node } from './commands/node.ts';
import { cordon, nodes, uncordon } from './commands/nodes.ts';
import { pipelines } from './commands/pipelines.ts';
import { plugins } from './commands/plugins.ts';
import { pools, updatePool } from './commands/pools.ts';
import { replay } from './commands/replay.ts';
import { restore } from './commands/restore.ts';
import { retry } from './commands/retry.ts';
import { run } from './commands/run.ts';
import { runs } from './commands/runs.ts';
import { server } from './commands/server.ts';
import { show } from './commands/show.ts';
import { setRetention } from './commands/set-retention.ts';
import { simulate } from './commands/simulate.ts';
import { start } from './commands/start.ts';
import { storage } from './commands/storage.ts';
import { createToken, listTokens, revokeToken } from './commands/tokens.ts';
import { why } from './commands/why.ts';

/** Every command, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  start,
  server,
  apply,
  run,
  runs,
  show,
  why,
  logs,
  cancel,
  retry,
  deleteRun,
  pipelines,
  nodes,
  node,
  cordon,
  uncordon,
  pools,
  updatePool,
  simulate,
  replay,
  plugins,
  storage,
  setRetention,
  createToken,
  listTokens,
  revokeToken,
  backup,
  restore,
  doctor,
  printConfig,
  completionCommand(() => COMMANDS),
];
