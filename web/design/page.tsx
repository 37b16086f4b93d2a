import Head from 'next/head';
import Link from 'next/link';
import type { ReactNode } from 'react';

interface PageProps {
  readonly title: string;
  /** Beside the title: a state, say. */
  readonly beside?: ReactNode;
  /** Where it belongs. */
  readonly above?: { readonly href: string; readonly name: string };
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

/** A screen: its title, what can be done, and what it shows. */
export function Page({ title, beside, above, actions, children }: PageProps) {
  return (
    <div className="page">
      <Head>
        <title>{`${title} · Gantry`}</title>
      </Head>
      <header className="page-head">
        <div className="page-title">
          {above ? (
            <Link className="above" href={above.href}>
              {above.name} /
            </Link>
          ) : null}
          <h1>{title}</h1>
          {beside}
        </div>
        {actions ? <div className="actions">{actions}</div> : null}
      </header>
      {children}
    </div>
  );
}
