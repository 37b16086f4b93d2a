import { beginningOf } from '@gantry/plugin-kit/beginning';

/** The beginning of somebody's text, short enough for a message and without half a character at its end. */
export function excerpt(text: string, characters = 60): string {
  return text.length > characters ? `${beginningOf(text, characters)}…` : text;
}
