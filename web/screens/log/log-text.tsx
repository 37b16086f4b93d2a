import type { CSSProperties, ReactNode } from 'react';
import type { LineText } from './terminal-line.ts';
import type { TextStyle } from './text-style.ts';

interface LogTextProps {
  readonly line: LineText;
  /** What is looked for; null for nothing. */
  readonly pattern: RegExp | null;
}

/**
 * A line with its colours and links. Nothing in it is ever markup: pieces of text go into elements of our own. A hit that
 * spans several styles is marked in each of them.
 */
export function LogText({ line: { text, spans }, pattern }: LogTextProps) {
  const marks =
    pattern === null
      ? []
      : [...text.matchAll(pattern)].map(({ 0: hit, index }) => [index, index + hit.length] as const);
  if (spans === null) return <Marked text={text} from={0} marks={marks} />;
  const parts: ReactNode[] = [];
  let at = 0;
  for (const { from, to, style } of spans) {
    if (from > at) parts.push(<Marked key={at} text={text.slice(at, from)} from={at} marks={marks} />);
    parts.push(
      <Styled key={from} style={style}>
        <Marked text={text.slice(from, to)} from={from} marks={marks} />
      </Styled>,
    );
    at = to;
  }
  if (at < text.length) parts.push(<Marked key={at} text={text.slice(at)} from={at} marks={marks} />);
  return parts;
}

function Styled({ style, children }: { readonly style: TextStyle; readonly children: ReactNode }) {
  const { names, color, background, link } = style;
  const exact: CSSProperties & Record<`--${string}`, string> = {};
  if (color !== null) exact['--ansi-color'] = color;
  if (background !== null) exact.background = background;
  // On a ground of its own a colour is as it is said to be; on the page's it has to be legible.
  const own = color === null ? '' : background === null && !names.includes('-bg') ? ' ansi-exact' : ' ansi-on-ground';
  const look = { className: `${names}${own}`.trim(), style: exact };
  return link === null ? (
    <span {...look}>{children}</span>
  ) : (
    <a {...look} href={link} target="_blank" rel="noopener noreferrer nofollow" title={link}>
      {children}
    </a>
  );
}

interface MarkedProps {
  readonly text: string;
  /** Its place in the line. */
  readonly from: number;
  /** Places in the line, in order. */
  readonly marks: readonly (readonly [from: number, to: number])[];
}

function Marked({ text, from, marks }: MarkedProps) {
  const parts: ReactNode[] = [];
  let at = 0;
  for (const [begin, end] of marks) {
    const first = Math.max(at, begin - from);
    const last = Math.min(text.length, end - from);
    if (last <= first) continue;
    parts.push(text.slice(at, first), <mark key={first}>{text.slice(first, last)}</mark>);
    at = last;
  }
  return parts.length === 0 ? text : [...parts, text.slice(at)];
}
