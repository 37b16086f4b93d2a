/**
 * Who is signed in here: the token, kept in this browser until somebody signs out. The login link carries it behind
 * `#`, which no server sees; it is taken out of the address at once.
 */
const KEY = 'gantry-token';

const listeners = new Set<() => void>();
let token: string | null = null;
let notice: string | null = null;

const tell = (): void => listeners.forEach((listener) => listener());

/** Takes the token out of the address or the browser's storage. Called once, before anything is shown. */
export function openSession(): void {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given) {
    history.replaceState(history.state, '', location.pathname + location.search);
    localStorage.setItem(KEY, given);
  }
  token = localStorage.getItem(KEY);
  // Signing in or out in another tab holds here too.
  addEventListener('storage', ({ key }) => {
    if (key !== KEY && key !== null) return;
    token = localStorage.getItem(KEY);
    tell();
  });
}

/** The token; null when nobody is signed in. */
export const sessionToken = (): string | null => token;

/** Why the session ended, when the server ended it. */
export const sessionNotice = (): string | null => notice;

export function signIn(secret: string): void {
  localStorage.setItem(KEY, secret);
  token = secret;
  notice = null;
  tell();
}

/** Forgets the token; `why` is shown on the sign-in page. */
export function signOut(why: string | null = null): void {
  localStorage.removeItem(KEY);
  token = null;
  notice = why;
  tell();
}

/** Calls back whenever somebody signs in or out; the answer ends that. */
export function watchSession(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
