import type { TaskRunRow } from '../../client/operations.ts';

/** How far a task run says it is: `3 of 10, reading`; empty when it says nothing. */
export function progressText(progress: TaskRunRow['progress']): string {
  if (progress === null) return '';
  const { fraction, done, total, message } = progress;
  const far =
    done !== null
      ? `${done}${total === null ? '' : ` of ${total}`}`
      : fraction === null
        ? ''
        : `${Math.round(100 * fraction)} %`;
  return [far, message ?? ''].filter((part) => part !== '').join(', ');
}
