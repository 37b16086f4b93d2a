import type { ReactNode } from 'react';
import { lookOf, type AnyState, type Shape } from './states.ts';

const line = { fill: 'none', stroke: 'currentColor', strokeWidth: 1.8, strokeLinecap: 'round' as const };

const SHAPES: Readonly<Record<Shape, ReactNode>> = {
  check: (
    <>
      <circle cx="8" cy="8" r="7" fill="currentColor" />
      <path d="M4.8 8.2l2.2 2.2 4.3-4.6" {...line} className="mark-cut" />
    </>
  ),
  cross: (
    <>
      <rect x="1.4" y="1.4" width="13.2" height="13.2" rx="2" fill="currentColor" />
      <path d="M5.3 5.3l5.4 5.4M10.7 5.3l-5.4 5.4" {...line} className="mark-cut" />
    </>
  ),
  turning: (
    <>
      <circle cx="8" cy="8" r="6" {...line} opacity="0.3" />
      <path d="M8 2a6 6 0 0 1 6 6" {...line} strokeWidth={2.4} className="mark-turning" />
      <circle cx="8" cy="8" r="2.2" fill="currentColor" />
    </>
  ),
  ring: <circle cx="8" cy="8" r="6" {...line} />,
  dotted: <circle cx="8" cy="8" r="6" {...line} strokeDasharray="1 3.2" strokeWidth={2} />,
  target: (
    <>
      <circle cx="8" cy="8" r="6" {...line} />
      <circle cx="8" cy="8" r="2.6" fill="currentColor" />
    </>
  ),
  clock: (
    <>
      <circle cx="8" cy="8" r="6" {...line} />
      <path d="M8 4.6V8l2.4 1.6" {...line} />
    </>
  ),
  bars: <path d="M5.2 3v10M10.8 3v10" {...line} strokeWidth={3} />,
  slash: (
    <>
      <circle cx="8" cy="8" r="6" {...line} />
      <path d="M4.2 11.8l7.6-7.6" {...line} />
    </>
  ),
  dash: <path d="M3 8h10" {...line} strokeWidth={2.6} />,
  down: <path d="M2.2 4.2h11.6L8 13.4z" {...line} strokeLinejoin="round" />,
  copy: (
    <>
      <rect x="2" y="2" width="8.5" height="8.5" rx="2" {...line} />
      <rect x="5.5" y="5.5" width="8.5" height="8.5" rx="2" fill="currentColor" />
    </>
  ),
};

/** The shape and colour of a state, without its word: say the word beside it, or in `title`. */
export function StateMark({ state, title }: { readonly state: AnyState; readonly title?: string }) {
  const { tone, shape } = lookOf(state);
  return (
    <svg
      className={`mark tone-${tone}`}
      viewBox="0 0 16 16"
      {...(title === undefined ? { 'aria-hidden': true } : { role: 'img', 'aria-label': title })}
    >
      {title === undefined ? null : <title>{title}</title>}
      {SHAPES[shape]}
    </svg>
  );
}

/** A state: its mark and its word. */
export function StateText({ state }: { readonly state: AnyState }) {
  return (
    <span className="state">
      <StateMark state={state} />
      {lookOf(state).word}
    </span>
  );
}

/** A state that is the main thing about its page. */
export function StateBadge({ state }: { readonly state: AnyState }) {
  const { tone, word } = lookOf(state);
  return (
    <span className={`badge tone-${tone}`} data-state={state}>
      <StateMark state={state} />
      {word}
    </span>
  );
}
