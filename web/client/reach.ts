/**
 * Whether the server can be reached. It is thought to be until a request or the socket says otherwise; from then on it is
 * asked until it answers. What waited for that goes on by itself.
 */

/** Between two questions: at first, and at most. Milliseconds. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5_000;
/** A server that takes longer to say that it is there is not. Milliseconds. */
const PATIENCE_MS = 8_000;
/** What a proxy says in the place of a server that is away. */
const AWAY_STATUSES: ReadonlySet<number> = new Set([502, 503, 504]);

/** Whether an answer is not the server's own. */
export const isAwayStatus = (status: number): boolean => AWAY_STATUSES.has(status);

let awaySince: number | null = null;
let isAsking = false;
/** The address that is opened once the server can be reached; null for none. */
let wanted: string | null = null;
const listeners = new Set<() => void>();

function become(next: number | null): void {
  if (next === awaySince) return;
  awaySince = next;
  for (const listener of listeners) listener();
}

/** Since when the server has not been reachable, in milliseconds since the epoch; null while it is. */
export const serverAwaySince = (): number | null => awaySince;

/** Calls back when the server goes away or comes back; the answer ends that. */
export function watchReach(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The server has answered. */
export function serverAnswered(): void {
  if (awaySince === null) return;
  become(null);
  if (wanted !== null) location.assign(wanted);
}

/** A request has not come through: asks until one does. */
export function serverIsAway(): void {
  become(awaySince ?? Date.now());
  void askUntilItAnswers();
}

/** Something speaks for it, such as a connection that broke off: asks first. */
export async function serverMayBeAway(): Promise<void> {
  if (awaySince === null && !(await isThere())) serverIsAway();
}

/** Resolves with whether the server answers now. */
async function isThere(): Promise<boolean> {
  try {
    const { status } = await fetch('/healthz', { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MS) });
    return !isAwayStatus(status);
  } catch {
    return false;
  }
}

async function askUntilItAnswers(): Promise<void> {
  if (isAsking) return;
  isAsking = true;
  for (let wait = FIRST_WAIT_MS; awaySince !== null; wait = Math.min(LONGEST_WAIT_MS, 2 * wait)) {
    await new Promise((resolve) => setTimeout(resolve, wait));
    if (awaySince !== null && (await isThere())) serverAnswered();
  }
  isAsking = false;
}

/** What `openWhenReachable` waits to open. */
export const wantedAddress = (): string | null => wanted;

/** Opens an address with a request of its own. While the server is away the page stays, and opens it when it is back. */
export function openWhenReachable(address: string): void {
  wanted = address;
  for (const listener of listeners) listener();
  void isThere().then((there) => {
    if (!there) serverIsAway();
    else if (wanted === address) location.assign(address);
  });
}

/** Stays on the page. */
export function forgetWanted(): void {
  wanted = null;
  for (const listener of listeners) listener();
}
