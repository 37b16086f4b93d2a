import Link from 'next/link';

/** Where to look at what an action was done to; null when it has no page. */
function hrefOf(action: string, subject: string): string | null {
  const name = encodeURIComponent(subject);
  const [noun] = action.split('.');
  if (action === 'pipeline.delete') return null;
  if (noun === 'run') return `/runs/${name}`;
  if (noun === 'pipeline') return `/pipelines/${name}`;
  if (noun === 'node') return `/nodes/${name}`;
  if (noun === 'pool') return `/schedulers?pool=${name}`;
  return null;
}

/** What something was done to, and the way there. */
export function AuditSubject({ action, subject }: { readonly action: string; readonly subject: string }) {
  const href = hrefOf(action, subject);
  if (href === null) return <span className="mono">{subject}</span>;
  return (
    <Link className="mono" href={href} prefetch={false}>
      {subject}
    </Link>
  );
}
