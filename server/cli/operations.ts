import { readFileSync } from 'node:fs';

/** The operations by name: `operations/<name>.graphql`, each file one operation with its fragments. */
export type OperationName =
  | 'apply-pipeline'
  | 'cancel-run'
  | 'cordon-node'
  | 'create-token'
  | 'delete-run'
  | 'follow-logs'
  | 'follow-run'
  | 'node'
  | 'node-history'
  | 'nodes'
  | 'pipeline-params'
  | 'pipelines'
  | 'plugins'
  | 'pools'
  | 'replay'
  | 'retry-run'
  | 'revoke-token'
  | 'run'
  | 'run-outputs'
  | 'run-task-runs'
  | 'runs'
  | 'set-retention'
  | 'simulate-placement'
  | 'storage'
  | 'task-run'
  | 'task-run-config'
  | 'task-run-placement'
  | 'tokens'
  | 'trigger-run'
  | 'uncordon-node'
  | 'update-pool';

/** The text of an operation. They are read one by one, because a command needs one or two. */
export function operationText(name: OperationName): string {
  return readFileSync(new URL(`./operations/${name}.graphql`, import.meta.url), 'utf8');
}
