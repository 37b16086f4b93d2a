import { Router } from 'next/router';
import { openWhenReachable } from './reach.ts';

/** Every screen's route, as the file under `pages` is called. */
const ROUTES = [
  '/',
  '/runs',
  '/runs/[id]',
  '/pipelines',
  '/pipelines/[name]',
  '/new-pipeline',
  '/nodes',
  '/nodes/[name]',
  '/queue',
  '/schedulers',
  '/plugins',
  '/settings',
] as const;

/** After the page has been loaded, so that it comes first. Milliseconds. */
const LATER_MS = 1_500;

/**
 * Keeps the page when the server is away. A link needs the program of the screen that it leads to, which Next loads when
 * it is first needed; and if that fails, Next opens the address with a request of its own, and the browser shows its
 * error page. So every screen is loaded ahead, and what fails nevertheless waits for the server. After an upgrade of the
 * server the old program is not there any more: then the address is opened anew, with the new one.
 */
export function keepScreensAtHand(router: Pick<Router, 'prefetch'>): () => void {
  const onError = (error: { readonly cancelled?: boolean }, address: string): void => {
    if (error.cancelled) return;
    openWhenReachable(address);
    // Next stops here, and takes it for a navigation that somebody has broken off.
    throw Object.assign(new Error(`${address} waits for the server.`), { cancelled: true });
  };
  Router.events.on('routeChangeError', onError);
  const timer = setTimeout(() => {
    for (const route of ROUTES) void router.prefetch(route);
  }, LATER_MS);
  return () => {
    clearTimeout(timer);
    Router.events.off('routeChangeError', onError);
  };
}

/**
 * Lets the browser keep the program of every screen, so that also a reload works while the server is away. Browsers allow
 * that on HTTPS and on the machine itself. A new version of the server brings its own.
 */
export function keepProgram(): void {
  if (!('serviceWorker' in navigator) || process.env.NODE_ENV !== 'production') return;
  const register = (): void => {
    // Without it, everything but a reload works as well.
    navigator.serviceWorker.register('/service-worker.js').catch(() => undefined);
  };
  setTimeout(register, LATER_MS);
}
