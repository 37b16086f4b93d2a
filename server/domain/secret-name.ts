import { excerpt } from './excerpt.ts';

const NAME = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;

/** What is wrong with the name of a secret; null for nothing. It becomes the name of a file and of a variable. */
export function secretNameProblem(name: string): string | null {
  if (NAME.test(name)) return null;
  return `The name “${excerpt(name)}” of a secret must be letters, digits and “_”, at most 64 of them, beginning with a letter.`;
}
