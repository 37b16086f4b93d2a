/** More candidates than this are not looked at: a suggestion is a courtesy and must stay cheap. */
const MAX_CANDIDATES = 20_000;

/** Longer words are not compared: nobody misspells a kilobyte. */
const MAX_LENGTH = 128;

/**
 * The candidate that somebody who wrote `word` most likely meant, or null. The same letters in another case or with
 * other dashes win; then the fewest typing errors (a letter more, less, other, or two swapped), at most a third of the
 * word; then a beginning in common. Ties go to the earlier candidate.
 */
export function didYouMean(word: string, candidates: Iterable<string>): string | null {
  if (word === '' || word.length > MAX_LENGTH) return null;
  const plain = plainLetters(word);
  let closest: string | null = null;
  let fewest = Math.max(1, Math.floor(word.length / 3)) + 1;
  let beginning: string | null = null;
  let seen = 0;
  for (const candidate of candidates) {
    if (++seen > MAX_CANDIDATES) break;
    if (candidate === word || candidate.length > MAX_LENGTH) continue;
    const other = plainLetters(candidate);
    if (other === plain && other !== '') return candidate;
    const errors = typingErrors(plain, other, fewest - 1);
    if (errors < fewest && errors < other.length) {
      fewest = errors;
      closest = candidate;
    }
    if (beginning === null && plain.length >= 3 && other.length >= 3) {
      if (other.startsWith(plain) || plain.startsWith(other)) beginning = candidate;
    }
  }
  return closest ?? beginning;
}

/** What people do not mean to differ in: case, dashes, underscores, blanks. */
function plainLetters(word: string): string {
  return word.toLowerCase().replaceAll(/[-_\s]/g, '');
}

/** The typing errors between two words (optimal string alignment); any number above `limit` when there are more. */
function typingErrors(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let row = 1; row <= a.length; row++) {
    const current: number[] = [row];
    let smallest = row;
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let errors = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        errors = Math.min(errors, (beforeLast[column - 2] ?? 0) + 1);
      }
      current.push(errors);
      smallest = Math.min(smallest, errors);
    }
    if (smallest > limit) return limit + 1;
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? limit + 1;
}
