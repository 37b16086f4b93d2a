import type { ReactNode } from 'react';
import { UNREACHABLE, type Fault } from '../client/fault.ts';
import { useAway } from '../client/use-away.ts';

/** What went wrong, and what to do. */
export function FaultNotice({ fault, retry }: { readonly fault: Fault; readonly retry?: () => void }) {
  // Nothing is wrong with what was asked, and it goes on by itself.
  if (fault.code === UNREACHABLE) return <Away />;
  return (
    <div className="notice tone-bad" role="alert">
      <div>
        <strong>{fault.message}</strong>
        {fault.incident === null ? null : <p className="hint">The server’s log has it as incident {fault.incident}.</p>}
      </div>
      {retry ? (
        <button className="button" type="button" onClick={retry}>
          Try again
        </button>
      ) : null}
    </div>
  );
}

const Away = () => (
  <div className="notice tone-warn" role="status">
    <div>
      <strong>The server is not reachable.</strong> This goes on by itself as soon as it is back.
    </div>
  </div>
);

/** Nothing to show, and what to do about it. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ReactNode }) {
  return (
    <div className="empty">
      <strong>{title}</strong>
      {children === undefined ? null : <div>{children}</div>}
    </div>
  );
}

/** Something is on its way; visible only when it takes a while. */
export function Loading({ what }: { readonly what: string }) {
  const awaySince = useAway();
  if (awaySince !== null) return <Away />;
  return (
    <div className="loading" role="status">
      Loading {what} …
    </div>
  );
}
