import { MAX_PROBLEMS } from './limits.ts';
import { nowhere, type Place, type Positions } from './positions.ts';

/** Where something is in a pipeline: `['tasks', 2, 'needs', 0]`. */
export type Path = readonly (string | number)[];

/** Something wrong in a pipeline: a code for programs, a sentence for people, where it is and what to write instead. */
export interface PipelineProblem {
  readonly code: string;
  readonly message: string;
  readonly path: Path;
  /** From 1; null when the pipeline did not come as text. */
  readonly line: number | null;
  /** From 1, in UTF-16 units; null when the pipeline did not come as text. */
  readonly column: number | null;
  readonly suggestion: string | null;
}

/** What `ProblemList.add` needs to know. */
export interface Finding {
  readonly code: string;
  readonly message: string;
  readonly path: Path;
  readonly suggestion?: string | null | undefined;
  /** What of the place is meant; its value unless said otherwise. */
  readonly place?: Place;
}

/** Collects problems, finds their positions, and stops collecting when there are enough. */
export class ProblemList {
  readonly #problems: PipelineProblem[] = [];
  readonly #positions: Positions;

  constructor(positions: Positions = nowhere) {
    this.#positions = positions;
  }

  /** Whether more would not be reported: the caller may stop looking. */
  get isFull(): boolean {
    return this.#problems.length >= MAX_PROBLEMS;
  }

  get isEmpty(): boolean {
    return this.#problems.length === 0;
  }

  /** A number, a truth value or nothing as its author wrote it: `3.10`, `0x1F`, `~`; null without a text. */
  sourceOf(path: Path): string | null {
    return this.#positions.sourceOf(path);
  }

  add({ code, message, path, suggestion = null, place = 'VALUE' }: Finding): void {
    if (this.isFull) return;
    const position = this.#positions.of(path, place);
    const [line, column] = position === null ? [null, null] : [position.line, position.column];
    this.#problems.push({ code, message, path: [...path], line, column, suggestion });
  }

  /** In the order of the text; without text, in the order found. */
  sorted(): readonly PipelineProblem[] {
    return this.#problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
  }
}

/** `tasks.2.needs.0`, for messages. */
export function pathText(path: Path): string {
  return path.join('.');
}
