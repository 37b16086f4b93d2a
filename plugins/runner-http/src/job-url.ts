import type { Answer } from './answer.ts';
import { headerUrl } from './header-text.ts';
import { targetOf, BadUrl } from './request.ts';

/** A URL of a job's: written out, perhaps with `{/pointer}` in it, or read from the answer to the request. */
export type JobUrl = string | { readonly jsonPointer: string } | { readonly header: string };

const PLACE = /\{(\/[^{}]*)\}/g;
const FIXED_HOST = /^(https?:\/\/[^/?#]+)?[/?#]/;

/** Whether the values of an answer stand only where they cannot say who is asked: in what follows the host. */
export function isTemplate(text: string): boolean {
  const first = text.search(PLACE);
  return first < 0 || FIXED_HOST.test(text.slice(0, first));
}

/**
 * The URL that a job's calls go to. A relative one is completed by where the answer came from. Throws BadUrl when the
 * answer lacks what it is made of.
 *
 * @param setting What the URL is for, as the task writes it: `poll.url`.
 */
export function jobUrl(given: JobUrl, answer: Answer, setting: string): URL {
  if (typeof given === 'string') return targetOf(filledIn(given, answer, setting), answer.url);
  if ('header' in given) {
    const value = answer.headers[given.header.toLowerCase()];
    if (typeof value !== 'string') throw new BadUrl(`${setting}: the answer has no header ${given.header}.`);
    return targetOf(headerUrl(value), answer.url);
  }
  const value = answer.at(given.jsonPointer);
  if (typeof value !== 'string')
    throw new BadUrl(`${setting}: the answer has no text at ${given.jsonPointer || 'its root'}.`);
  return targetOf(value, answer.url);
}

function filledIn(template: string, answer: Answer, setting: string): string {
  return template.replace(PLACE, (_, pointer: string) => {
    const value = answer.at(pointer);
    if (typeof value !== 'string' && typeof value !== 'number')
      throw new BadUrl(`${setting}: the answer has no text or number at ${pointer}.`);
    // A number as the service wrote it: it may have more digits than a double holds.
    const text = encodeURIComponent(typeof value === 'number' ? (answer.writtenAt(pointer) ?? value) : value);
    // A part of a path such as these is no name, but leads elsewhere.
    if (['', '.', '..'].includes(text)) throw new BadUrl(`${setting}: the answer’s ${pointer} is “${value}”.`);
    return text;
  });
}
