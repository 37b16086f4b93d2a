/** What somebody has typed and not applied, and from what it was edited. */
export interface Draft {
  readonly text: string;
  /** The text of the version that it was edited from. */
  readonly base: string;
  /** When it was last changed. Milliseconds since the epoch. */
  readonly at: number;
}

const PREFIX = 'gantry-draft ';
const keyOf = (pipeline: string | null): string => `${PREFIX}${pipeline === null ? 'new' : `of ${pipeline}`}`;

/** The drafts that were written since this page was loaded: they are simply gone on with. */
const ofThisPage = new Set<string>();

/** The draft of a pipeline, or with null of a new one, in this browser; null for none. */
export function readDraft(pipeline: string | null): Draft | null {
  try {
    const draft: unknown = JSON.parse(localStorage.getItem(keyOf(pipeline)) ?? 'null');
    return isDraft(draft) ? draft : null;
  } catch {
    // Storage may be forbidden, and what is in it may be anybody's.
    return null;
  }
}

/** Whether the draft was written since this page was loaded. */
export const isDraftOfThisPage = (pipeline: string | null): boolean => ofThisPage.has(keyOf(pipeline));

/** Keeps a draft. `false` where the browser does not: there is no room, or it is forbidden. */
export function keepDraft(pipeline: string | null, draft: Draft): boolean {
  const key = keyOf(pipeline);
  try {
    localStorage.setItem(key, JSON.stringify(draft));
    ofThisPage.add(key);
    return true;
  } catch {
    return false;
  }
}

/** Takes the draft away. */
export function dropDraft(pipeline: string | null): void {
  const key = keyOf(pipeline);
  ofThisPage.delete(key);
  try {
    localStorage.removeItem(key);
  } catch {
    // Where storage is forbidden there is none.
  }
}

function isDraft(value: unknown): value is Draft {
  if (typeof value !== 'object' || value === null) return false;
  const { text, base, at } = value as Readonly<Record<string, unknown>>;
  return typeof text === 'string' && typeof base === 'string' && typeof at === 'number';
}
