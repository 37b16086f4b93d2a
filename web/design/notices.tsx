import type { ReactNode } from 'react';
import type { Fault } from '../client/fault.ts';

/** What went wrong, and what to do. */
export function FaultNotice({ fault, retry }: { readonly fault: Fault; readonly retry?: () => void }) {
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
  return (
    <div className="loading" role="status">
      Loading {what} …
    </div>
  );
}
