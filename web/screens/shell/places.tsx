import type { ReactNode } from 'react';

/** Where one can go. `keys` is what follows `g` on the keyboard. */
export interface Place {
  readonly href: string;
  readonly name: string;
  readonly keys: string;
  readonly icon: ReactNode;
  /** Left out of the page's own navigation: the server serves it. */
  readonly isOutside?: boolean;
}

const icon = (path: string): ReactNode => (
  <svg className="icon" viewBox="0 0 18 18" aria-hidden="true">
    <path d={path} />
  </svg>
);

/** Every screen that is a place of its own. */
export const PLACES: readonly Place[] = [
  { href: '/', name: 'Home', keys: 'h', icon: icon('M3 8l6-5 6 5v7H3zM7 15v-4h4v4') },
  { href: '/pipelines', name: 'Pipelines', keys: 'p', icon: icon('M3 4h5v4H3zM10 10h5v4h-5zM5.5 8v4H10') },
  { href: '/runs', name: 'Runs', keys: 'r', icon: icon('M3 4h9M5 9h10M3 14h6') },
  { href: '/nodes', name: 'Nodes', keys: 'n', icon: icon('M3 3h12v5H3zM3 10h12v5H3zM6 5.5h.01M6 12.5h.01') },
  { href: '/queue', name: 'Queue', keys: 'q', icon: icon('M3 4h12M3 9h12M3 14h7M13 12l2 2-2 2') },
  {
    href: '/schedulers',
    name: 'Schedulers',
    keys: 's',
    icon: icon('M9 3v3M9 12v3M3 9h3M12 9h3M9 6a3 3 0 1 0 0 6 3 3 0 0 0 0-6'),
  },
  { href: '/plugins', name: 'Plugins', keys: 'u', icon: icon('M6 3v4M12 3v4M4 7h10v3a5 5 0 0 1-10 0zM9 15v-1') },
  {
    href: '/playground',
    name: 'Playground',
    keys: 'y',
    icon: icon('M5 4L1.5 9 5 14M13 4l3.5 5L13 14M10.5 3l-3 12'),
    isOutside: true,
  },
  { href: '/settings', name: 'Settings', keys: 'e', icon: icon('M3 5h7M14 5h1M12 3v4M3 13h1M8 13h7M6 11v4') },
];
