import { useSyncExternalStore } from 'react';
import { asFault } from '../client/fault.ts';

interface Toast {
  readonly id: number;
  readonly tone: 'good' | 'bad';
  readonly text: string;
}

/** So long it is shown; a refusal stays until it is closed. Milliseconds. */
const SHOWN_MS = 6_000;

let toasts: readonly Toast[] = [];
let count = 0;
const listeners = new Set<() => void>();
const change = (next: readonly Toast[]): void => {
  toasts = next;
  listeners.forEach((listener) => listener());
};
const close = (id: number): void => change(toasts.filter((toast) => toast.id !== id));

function show(tone: Toast['tone'], text: string): void {
  const id = ++count;
  change([...toasts.slice(-3), { id, tone, text }]);
  if (tone === 'good') setTimeout(() => close(id), SHOWN_MS);
}

/** Says that something has been done. */
export const say = (text: string): void => show('good', text);

/** Says why something has not been done. */
export const complain = (error: unknown): void => show('bad', asFault(error).message);

/** What has been said lately. Once on the page. */
export function Toasts() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
    () => toasts,
  );
  return (
    <div className="toasts" role="log" aria-live="polite" aria-label="Messages">
      {shown.map(({ id, tone, text }) => (
        <div key={id} className={`toast tone-${tone}`}>
          <span>{text}</span>
          <button className="button bare" type="button" onClick={() => close(id)}>
            <span aria-hidden="true">✕</span>
            <span className="visually-hidden">Close</span>
          </button>
        </div>
      ))}
    </div>
  );
}
