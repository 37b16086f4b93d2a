/** Task runs that one run may have. */
export const MAX_TASK_RUNS = 200_000;
/** Instances that one gang may have: a scheduler is shown all of it in one call. */
export const MAX_GANG = 4_096;
