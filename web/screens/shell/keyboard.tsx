import { useRouter } from 'next/router';
import { useCallback, useEffect, useRef, useState } from 'react';
import { openWhenReachable } from '../../client/reach.ts';
import { Dialog } from '../../design/dialog.tsx';
import { Palette } from './palette.tsx';
import { PLACES } from './places.tsx';

/** How long after `g` the second key may come. */
const SECOND_KEY_MS = 1_500;

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

/** What the keyboard can do everywhere, and the buttons that say so. */
export function Keyboard() {
  const router = useRouter();
  const [open, setOpen] = useState<'PALETTE' | 'SHORTCUTS' | null>(null);
  const goUntil = useRef(0);
  const close = useCallback(() => setOpen(null), []);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        setOpen('PALETTE');
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (document.querySelector('dialog[open]') !== null) return;
      const isSecond = event.timeStamp < goUntil.current;
      goUntil.current = 0;
      const place = isSecond ? PLACES.find(({ keys }) => keys === event.key) : undefined;
      if (place !== undefined) {
        event.preventDefault();
        if (place.isOutside) openWhenReachable(place.href);
        else void router.push(place.href);
      } else if (event.key === 'g') goUntil.current = event.timeStamp + SECOND_KEY_MS;
      else if (event.key === '?') setOpen('SHORTCUTS');
      else if (event.key === '/') focusSearch(event);
      else if (event.key === 'j') moveFocus(event, 1);
      else if (event.key === 'k') moveFocus(event, -1);
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [router]);
  return (
    <div className="keyboard">
      <button className="button find" type="button" onClick={() => setOpen('PALETTE')}>
        Go to … <kbd>Ctrl K</kbd>
      </button>
      <button className="button bare" type="button" onClick={() => setOpen('SHORTCUTS')}>
        <kbd aria-hidden="true">?</kbd> <span className="visually-hidden">Keyboard shortcuts</span>
      </button>
      {open === 'PALETTE' ? <Palette close={close} /> : null}
      {open === 'SHORTCUTS' ? <Shortcuts close={close} /> : null}
    </div>
  );
}

function focusSearch(event: KeyboardEvent): void {
  const search = document.querySelector<HTMLInputElement>('main input[type="search"]');
  if (search === null) return;
  event.preventDefault();
  search.focus();
}

/** Rows of lists say so with `data-row`. */
function moveFocus(event: KeyboardEvent, step: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>('main [data-row]')];
  if (rows.length === 0) return;
  event.preventDefault();
  const at = rows.indexOf(document.activeElement as HTMLElement);
  const row = rows[at < 0 ? 0 : Math.min(Math.max(at + step, 0), rows.length - 1)]!;
  row.focus();
  row.scrollIntoView({ block: 'nearest' });
}

const SHORTCUTS: readonly (readonly [keys: string, what: string])[] = [
  ['Ctrl K', 'Go to a screen, a pipeline, a run or a node'],
  ['j / k', 'Next or previous row'],
  ['Enter', 'Open the row'],
  ['/', 'Search in the list'],
  ['Esc', 'Close what is open'],
  ['?', 'This list'],
  ...PLACES.map(({ keys, name }) => [`g ${keys}`, name] as const),
];

function Shortcuts({ close }: { readonly close: () => void }) {
  return (
    <Dialog title="Keyboard shortcuts" close={close}>
      <dl className="facts">
        {SHORTCUTS.map(([keys, what]) => (
          <div key={keys} className="pair">
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
