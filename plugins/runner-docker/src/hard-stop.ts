import type { Outcome } from '@gantry/plugin-kit/runner';

/** An engine that hangs has this long to carry a hard stop out: less than the five seconds that a runner has. */
const ANSWER_MS = 4_000;

/**
 * What comes of the work; or, should the engine not answer to the hard stop, that nobody knows. The work itself is not
 * let go of: it ends its container as soon as the engine answers again.
 */
export async function endedInTime(kill: AbortSignal, work: Promise<Outcome>): Promise<Outcome> {
  let timer: NodeJS.Timeout | undefined;
  let onKill = (): void => undefined;
  const givenUp = new Promise<Outcome>((resolve) => {
    onKill = () => (timer = setTimeout(() => resolve(UNANSWERED), ANSWER_MS));
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

const UNANSWERED: Outcome = {
  ok: false,
  kind: 'INFRASTRUCTURE',
  reason: {
    code: 'ENGINE_HANGS',
    message: 'The container engine does not answer: the container may run until it does, and is ended then.',
    remedy: 'Look at the engine on the node; restart it if need be.',
  },
};
