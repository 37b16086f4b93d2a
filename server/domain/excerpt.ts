/** The beginning of somebody's text, short enough for a message and without half a character at its end. */
export function excerpt(text: string, characters = 60): string {
  return text.length > characters ? `${text.slice(0, characters).toWellFormed()}…` : text;
}
