import { stripVTControlCharacters } from 'node:util';

// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
// eslint-disable-next-line no-control-regex
const COLOUR = /\u001b\[[\d;]*m/g;

/**
 * A text from elsewhere (a name, a message) as it may stand in one line of a terminal: a task must not move the cursor,
 * rename the window or turn the reading direction.
 */
export function oneLine(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/[\n\t]+/g, ' ')
    .replace(CONTROL, '�');
}

/** A task's output as a terminal may show it: lines, tabs and colours stay, every other control sequence goes. */
export function terminalOutput(text: string, hasColours: boolean): string {
  let safe = '';
  let end = 0;
  for (const match of text.matchAll(COLOUR)) {
    safe += plain(text.slice(end, match.index)) + (hasColours ? match[0] : '');
    end = match.index + match[0].length;
  }
  return safe + plain(text.slice(end));
}

const plain = (text: string): string => stripVTControlCharacters(text.replace(/\r\n/g, '\n')).replace(CONTROL, '');

const segmenter = new Intl.Segmenter();
const WIDE =
  /^[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|^\p{Emoji_Presentation}/u;

/** How many columns of a terminal the text takes. It holds no line break. */
export function widthOf(text: string): number {
  const bare = stripVTControlCharacters(text);
  if (/^[\x20-\x7e]*$/.test(bare)) return bare.length;
  let width = 0;
  for (const { segment } of segmenter.segment(bare)) width += WIDE.test(segment) ? 2 : 1;
  return width;
}

/** The text, ended with `…` where it takes more than `columns`. It holds no colours. */
export function fitted(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let width = 0;
  let kept = '';
  for (const { segment } of segmenter.segment(text)) {
    const next = width + (WIDE.test(segment) ? 2 : 1);
    if (next > columns - 1) break;
    width = next;
    kept += segment;
  }
  return `${kept}…`;
}
