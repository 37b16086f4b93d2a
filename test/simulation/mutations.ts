/**
 * Bugs that can be planted into the simulated system. The checker must find every one of them, or it is blind
 * (reliability.md §7).
 */
export const MUTATIONS = {
  NO_JOURNAL: 'a restarted agent knows nothing of what it had begun',
  ROLL_UP_LATER: 'a run ends one transaction after its last task run',
  LATE_RESULT_WINS: 'the result of an attempt that was given up is taken for the one that replaced it',
  NO_CAPACITY_CHECK: 'placement does not look at what a node has left',
  NO_FENCE: 'the store takes a deposed owner’s writes',
  EFFECTS_BEFORE_COMMIT: 'assignments go out before they are durable',
  FORGOTTEN_RETRIES: 'a reload forgets the retries that wait for their time',
  ASSIGNED_LOG_IGNORED: 'a reload does not look at the assignments that are only logged',
  NEEDS_IGNORED: 'a task is released when one of its needs has ended',
  ENDLESS_RETRIES: 'losses are not counted',
  REPEATS_THE_UNKNOWN: 'work that must not be done twice is repeated when nobody knows what it has done',
} as const;
export type Mutation = keyof typeof MUTATIONS;
