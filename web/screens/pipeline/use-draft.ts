import { useEffect, useState } from 'react';
import { dropDraft, isDraftOfThisPage, keepDraft, readDraft, type Draft } from './draft.ts';

/** A text that is edited, kept until it is applied. */
export interface DraftedText {
  readonly text: string;
  readonly change: (text: string) => void;
  /** Another version has been applied since this was begun. */
  readonly isOutdated: boolean;
  /** A draft from an earlier visit: to be restored or discarded before anything is written. */
  readonly offered: Draft | null;
  readonly restore: () => void;
  /** Gives up what is written, and the draft with it. */
  readonly discard: () => void;
  /** What is written has been applied. */
  readonly applied: () => void;
  /** The browser keeps what is written. */
  readonly isKept: boolean;
}

interface State {
  readonly text: string;
  /** What was edited from. Another version may be applied meanwhile, and must not take away what has been typed. */
  readonly base: string;
  readonly offered: Draft | null;
  /** What was applied last; null for nothing. */
  readonly applied: string | null;
  readonly isKept: boolean;
}

/** Begins with the draft of this page; one from an earlier visit is offered. */
function begin(original: string, pipeline: string | null): State {
  const draft = readDraft(pipeline);
  if (draft === null || draft.text === original)
    return { text: original, base: original, offered: null, applied: null, isKept: true };
  if (isDraftOfThisPage(pipeline))
    return { text: draft.text, base: draft.base, offered: null, applied: null, isKept: true };
  return { text: original, base: original, offered: draft, applied: null, isKept: true };
}

/** The text of a pipeline that is edited: what is typed survives that somebody looks elsewhere, reloads, or signs in again. */
export function useDraft(original: string, pipeline: string | null): DraftedText {
  const [state, setState] = useState(() => begin(original, pipeline));
  const { text, base, offered, applied, isKept } = state;
  const takeOver = (): void => setState({ text: original, base: original, offered, applied: null, isKept });
  if (original !== base && (text === base || text === original)) takeOver();
  useEffect(() => {
    if (offered !== null) return;
    if (text === base || text === applied) return dropDraft(pipeline);
    const kept = keepDraft(pipeline, { text, base, at: Date.now() });
    if (kept !== isKept) setState((old) => ({ ...old, isKept: kept }));
  }, [text, base, offered, applied, pipeline, isKept]);
  return {
    text,
    change: (next) => setState((old) => ({ ...old, text: next })),
    isOutdated: original !== base && text !== applied,
    offered,
    restore: () => {
      if (offered !== null) setState({ text: offered.text, base: offered.base, offered: null, applied: null, isKept });
    },
    discard: () => {
      dropDraft(pipeline);
      setState({ text: original, base: original, offered: null, applied: null, isKept: true });
    },
    applied: () => {
      dropDraft(pipeline);
      setState((old) => ({ ...old, applied: old.text }));
    },
    isKept,
  };
}
