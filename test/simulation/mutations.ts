/**
 * Bugs that can be planted into the simulated system. The checker must find every one of them, or it is blind
 * (reliability.md §7).
 */
export const MUTATIONS = {
  NO_JOURNAL: 'a restarted agent knows nothing of what it had begun',
  START_BEFORE_JOURNAL: 'an agent starts what its journal does not hold yet',
  HANDLE_OF_NOT_ASKED: 'a restarted agent does not ask runners for what they would find by its id',
  ENDED_STARTED_AGAIN: 'what has ended and was not told is started again after a restart',
  STOPPED_IS_SUCCESS: 'what ends well after it was told to stop counts as done',
  ROLL_UP_LATER: 'a run ends one transaction after its last task run',
  LATE_RESULT_WINS: 'the result of an attempt that was given up is taken for the one that replaced it',
  NO_CAPACITY_CHECK: 'placement does not look at what a node has left',
  NO_FENCE: 'the store takes a deposed owner’s writes',
  EFFECTS_BEFORE_COMMIT: 'assignments go out before they are durable',
  FORGOTTEN_RETRIES: 'a reload forgets the retries that wait for their time',
  ASSIGNED_LOG_IGNORED: 'a reload does not look at the assignments that are only logged',
  NEEDS_IGNORED: 'a task is released when one of its needs has ended',
  WAITS_BY_THE_WALL: 'what is waited for is measured by the clock on the wall',
  ENDLESS_RETRIES: 'losses are not counted',
  REPEATS_THE_UNKNOWN: 'work that must not be done twice is repeated when nobody knows what it has done',
} as const;
export type Mutation = keyof typeof MUTATIONS;
