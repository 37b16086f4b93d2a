import type { Outcome } from '@gantry/plugin-kit/runner';

/** An engine that hangs, or has a lot to end, has this long for a hard stop: less than the five seconds that a runner has. */
const ANSWER_MS = 4_000;

/**
 * What comes of the work; or, should the engine not have carried the hard stop out in time, that. The work itself is not
 * let go of: it ends and removes its container as soon as the engine does it.
 */
export async function endedInTime(kill: AbortSignal, work: Promise<Outcome>): Promise<Outcome> {
  let timer: NodeJS.Timeout | undefined;
  let onKill = (): void => undefined;
  const givenUp = new Promise<Outcome>((resolve) => {
    onKill = () => (timer = setTimeout(() => resolve(UNCONFIRMED), ANSWER_MS));
    if (kill.aborted) onKill();
    else kill.addEventListener('abort', onKill, { once: true });
  });
  try {
    return await Promise.race([work, givenUp]);
  } finally {
    clearTimeout(timer);
    kill.removeEventListener('abort', onKill);
  }
}

const UNCONFIRMED: Outcome = {
  ok: false,
  kind: 'UNKNOWN',
  reason: {
    code: 'STOP_UNCONFIRMED',
    message: `The container engine has not ended the container within ${ANSWER_MS / 1_000} s of the hard stop: it may run on until the engine comes to that.`,
    remedy: 'If the engine of the node does not answer at all, restart it.',
  },
};
