import Anser from 'anser';

interface LogTextProps {
  readonly text: string;
  /** Lower case; empty for none. */
  readonly search: string;
}

/**
 * A line with its colours. Nothing in it is ever markup: pieces of text go into elements of our own, and of the escapes
 * only colours and weight are heeded.
 */
export function LogText({ text, search }: LogTextProps) {
  const shown = text.replace(/^.*\r(?!$)/, '');
  if (!shown.includes('\u001b')) return <Found text={shown} search={search} />;
  return Anser.ansiToJson(shown, { use_classes: true, remove_empty: true }).map(
    ({ content, fg, bg, decorations }, at) => (
      <span key={at} className={lookOf(fg, bg, decorations)}>
        <Found text={content} search={search} />
      </span>
    ),
  );
}

const NAME = /^ansi-(?:bright-)?(?:black|red|green|yellow|blue|magenta|cyan|white)$/;

function lookOf(fg: string | null, bg: string | null, decorations: readonly string[]): string {
  const names: string[] = [];
  if (fg !== null && NAME.test(fg)) names.push(fg);
  if (bg !== null && NAME.test(bg)) names.push(`${bg}-bg`);
  for (const each of ['bold', 'dim', 'italic', 'underline']) if (decorations.includes(each)) names.push(`ansi-${each}`);
  return names.join(' ');
}

function Found({ text, search }: LogTextProps) {
  if (search === '') return text;
  const parts = [];
  const lower = text.toLowerCase();
  let from = 0;
  for (let at = lower.indexOf(search); at >= 0; at = lower.indexOf(search, from)) {
    parts.push(text.slice(from, at), <mark key={at}>{text.slice(at, at + search.length)}</mark>);
    from = at + search.length;
  }
  return [...parts, text.slice(from)];
}
