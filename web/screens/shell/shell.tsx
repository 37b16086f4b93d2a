import Link from 'next/link';
import { useRouter } from 'next/router';
import { useEffect, useState, type ReactNode } from 'react';
import { openWhenReachable } from '../../client/reach.ts';
import { signOut } from '../../client/session.ts';
import { useViewer } from '../session/viewer.ts';
import { Toasts } from '../../design/toast.tsx';
import { AwayNotice } from './away-notice.tsx';
import { ContactMark } from './contact-mark.tsx';
import { Keyboard } from './keyboard.tsx';
import { PLACES, type Place } from './places.tsx';
import { ThemeButton } from './theme-button.tsx';

/** What is around every screen: where one can go, who is signed in, whether the page hears from the server. */
export function Shell({ children }: { readonly children: ReactNode }) {
  const { pathname, asPath } = useRouter();
  const [isOpen, setOpen] = useState(false);
  useEffect(() => setOpen(false), [asPath]);
  return (
    <div className={isOpen ? 'shell is-open' : 'shell'}>
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <header className="topbar">
        <button
          className="button bare menu-button"
          type="button"
          aria-expanded={isOpen}
          aria-controls="navigation"
          onClick={() => setOpen(!isOpen)}
        >
          <svg className="icon" viewBox="0 0 18 18" aria-hidden="true">
            <path d="M2 5h14M2 9h14M2 13h14" />
          </svg>
          <span className="visually-hidden">Menu</span>
        </button>
        <Brand />
        <ContactMark />
      </header>
      <nav id="navigation" className="sidebar" aria-label="Screens">
        <Brand />
        <ul>
          {PLACES.map((place) => (
            <li key={place.href}>
              <PlaceLink place={place} isHere={isWithin(pathname, place.href)} />
            </li>
          ))}
        </ul>
        <Keyboard />
        <div className="sidebar-foot">
          <ContactMark />
          <ThemeButton />
          <Account />
        </div>
      </nav>
      <main id="main" tabIndex={-1}>
        <AwayNotice />
        {children}
      </main>
      <Toasts />
    </div>
  );
}

const Brand = () => (
  <Link href="/" className="brand">
    <img src="/favicon.svg" alt="" width="22" height="22" /> Gantry
  </Link>
);

const isWithin = (pathname: string, href: string): boolean =>
  href === '/' ? pathname === '/' : pathname === href || pathname.startsWith(`${href}/`);

function PlaceLink({
  place: { href, name, icon, isOutside },
  isHere,
}: {
  readonly place: Place;
  readonly isHere: boolean;
}) {
  const look = { className: 'place', ...(isHere ? { 'aria-current': 'page' as const } : {}) };
  const inside = (
    <>
      {icon}
      {name}
    </>
  );
  // The playground is the server's own page.
  return isOutside ? (
    <a
      href={href}
      {...look}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        openWhenReachable(href);
      }}
    >
      {inside}
    </a>
  ) : (
    <Link href={href} prefetch={false} {...look}>
      {inside}
    </Link>
  );
}

function Account() {
  const { name, role } = useViewer();
  return (
    <div className="account">
      <span className="clip" title={`Signed in with the token ${name}, as ${role.toLowerCase()}`}>
        {name} <span className="faint">{role.toLowerCase()}</span>
      </span>
      <button className="button bare" type="button" onClick={() => signOut()}>
        Sign out
      </button>
    </div>
  );
}
