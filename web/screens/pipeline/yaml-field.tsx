import { useRef, type KeyboardEvent } from 'react';
import type { PipelineProblem } from './pipeline-editor.tsx';

interface YamlFieldProps {
  readonly text: string;
  readonly change: (text: string) => void;
  readonly problems: readonly PipelineProblem[];
  readonly isReadOnly: boolean;
}

/** YAML with its line numbers; a line with a mistake is marked, and says what it is. */
export function YamlField({ text, change, problems, isReadOnly }: YamlFieldProps) {
  const gutter = useRef<HTMLDivElement>(null);
  const byLine = new Map<number, string>();
  for (const { line, message } of problems) {
    if (line !== null) byLine.set(line, byLine.has(line) ? `${byLine.get(line)} ${message}` : message);
  }
  const count = text.split('\n').length;
  /** Two spaces for Tab, which YAML has no other use for; Esc lets the keyboard out. */
  const onKey = (event: KeyboardEvent<HTMLTextAreaElement>): void => {
    const { currentTarget: field, key, shiftKey } = event;
    if (key === 'Escape') field.blur();
    if (key !== 'Tab' || shiftKey || isReadOnly) return;
    event.preventDefault();
    const { selectionStart: from, selectionEnd: to } = field;
    field.setRangeText('  ', from, to, 'end');
    change(field.value);
  };
  return (
    <div className="yaml">
      <div ref={gutter} className="yaml-gutter" aria-hidden="true">
        {Array.from({ length: count }, (_, at) => (
          <span key={at} className={byLine.has(at + 1) ? 'is-wrong' : ''} title={byLine.get(at + 1)}>
            {at + 1}
          </span>
        ))}
      </div>
      <textarea
        className="yaml-text"
        aria-label="Pipeline in YAML; Esc leaves the field"
        aria-invalid={problems.length > 0}
        wrap="off"
        spellCheck={false}
        autoCapitalize="off"
        readOnly={isReadOnly}
        value={text}
        onChange={({ target }) => change(target.value)}
        onKeyDown={onKey}
        onScroll={({ currentTarget }) => {
          if (gutter.current) gutter.current.scrollTop = currentTarget.scrollTop;
        }}
      />
    </div>
  );
}
