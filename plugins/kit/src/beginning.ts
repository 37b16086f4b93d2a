/** The first characters of a text, in UTF-16 units; one fewer where the last would be half of a surrogate pair. */
export function beginningOf(text: string, units: number): string {
  return text.length <= units ? text : text.slice(0, units).replace(/[\uD800-\uDBFF]$/, '');
}
