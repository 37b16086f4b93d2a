// Keeps the program of every screen, so that a page can be reloaded while the server is away. What is asked of the server
// itself is never kept: only files of the build are. The build writes `BUILD` before this: its id, and its files.
/* global BUILD */

const PREFIX = 'gantry-';
const CACHE = `${PREFIX}${BUILD.id}`;
/** A server that takes longer to send a page is taken to be away; the page that is kept does the same. Milliseconds. */
const PATIENCE_MS = 5_000;
const AWAY = new Set([502, 503, 504]);

self.addEventListener('install', (event) => {
  const keep = async () => {
    const cache = await caches.open(CACHE);
    await cache.addAll(BUILD.files);
    await self.skipWaiting();
  };
  event.waitUntil(keep());
});

self.addEventListener('activate', (event) => {
  const tidy = async () => {
    // Pages that are open have the program of the build before: it is kept for them.
    const names = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
    await Promise.all(names.slice(0, -1).map((name) => caches.delete(name)));
    await self.clients.claim();
  };
  event.waitUntil(tidy());
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== self.location.origin) return;
  if (request.mode === 'navigate') {
    const page = pageOf(pathname);
    if (page !== null) event.respondWith(freshOrKept(request, page));
  } else if (pathname.startsWith('/_next/static/')) {
    // What is in such a file is in its name.
    event.respondWith(caches.match(pathname).then((kept) => kept ?? fetch(request)));
  } else if (BUILD.files.includes(pathname)) {
    event.respondWith(freshOrKept(request, pathname));
  }
});

/** The file of the page that the server would send; null for an address that is none of the UI. */
function pageOf(pathname) {
  const path = pathname === '/' ? '/index' : pathname;
  if (BUILD.files.includes(`${path}.html`)) return `${path}.html`;
  const parts = path.split('/');
  const fits = (page) => {
    const names = page.slice(0, -'.html'.length).split('/');
    return names.length === parts.length && names.every((name, at) => name === parts[at] || name.startsWith('%5B'));
  };
  return BUILD.files.find((file) => file.endsWith('.html') && file.includes('%5B') && fits(file)) ?? null;
}

async function freshOrKept(request, file) {
  const kept = await caches.open(CACHE).then((cache) => cache.match(file));
  if (kept === undefined) return fetch(request);
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS, null));
  const fresh = await Promise.race([fetch(request).catch(() => null), late]);
  return fresh === null || AWAY.has(fresh.status) ? kept : fresh;
}
