/** Task runs that one run may have. */
export const MAX_TASK_RUNS = 200_000;
