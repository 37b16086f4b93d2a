import Anser from 'anser';

/** How a piece of output looks, and where it leads. */
export interface TextStyle {
  /** Classes of our own: `ansi-red`, `ansi-blue-bg`, `ansi-bold`. */
  readonly names: string;
  /** Of the 256 or 16 million colours: `rgb(1 2 3)`; null where a name says it, or nothing. */
  readonly color: string | null;
  readonly background: string | null;
  /** An address that may be opened: http or https. */
  readonly link: string | null;
}

const NAME = /^ansi-(?:bright-)?(?:black|red|green|yellow|blue|magenta|cyan|white)$/;
const DECORATIONS = ['bold', 'dim', 'italic', 'underline', 'strikethrough', 'hidden'] as const;

/** Follows what sets the colours of one stream of output. They hold over the ends of lines, as in a terminal. */
export class Styling {
  readonly #anser = new Anser();
  #look: Omit<TextStyle, 'link'> = { names: '', color: null, background: null };
  #link: string | null = null;
  #current: TextStyle | null = null;

  /** The style of what is written now; null for none. */
  get current(): TextStyle | null {
    return this.#current;
  }

  /** Heeds a sequence of Select Graphic Rendition. */
  select(parameters: string): void {
    const entry = this.#anser
      .ansiToJson(`\u001b[${withSemicolons(parameters)}mx`, { json: true, use_classes: true })
      .at(-1);
    if (entry === undefined) return;
    const names: string[] = [];
    if (NAME.test(entry.fg ?? '')) names.push(entry.fg);
    if (NAME.test(entry.bg ?? '')) names.push(`${entry.bg}-bg`);
    for (const each of DECORATIONS) if (entry.decorations.includes(each)) names.push(`ansi-${each}`);
    this.#look = {
      names: names.join(' '),
      color: exactColor(entry.fg, entry.fg_truecolor),
      background: exactColor(entry.bg, entry.bg_truecolor),
    };
    this.#renew();
  }

  /** Begins a link, or ends one with an empty address. What is no address of the web is no link. */
  lead(uri: string): void {
    this.#link = webAddress(uri);
    this.#renew();
  }

  #renew(): void {
    const { names, color, background } = this.#look;
    const isPlain = names === '' && color === null && background === null && this.#link === null;
    this.#current = isPlain ? null : { names, color, background, link: this.#link };
  }
}

/** The address if it is one of http or https; null otherwise: `javascript:` and the like are text. */
export function webAddress(uri: string): string | null {
  if (!URL.canParse(uri)) return null;
  const { protocol, href } = new URL(uri);
  return protocol === 'https:' || protocol === 'http:' ? href : null;
}

/** `38:2::1:2:3` as `38;2;1;2;3`, which is how most write it. A colon elsewhere is a finer point of one parameter. */
const withSemicolons = (parameters: string): string =>
  parameters
    .replace(/\b([34]8):2:(?:\d*:)?(\d+):(\d+):(\d+)/g, '$1;2;$2;$3;$4')
    .replace(/\b([34]8):5:(\d+)/g, '$1;5;$2')
    .replace(/\b4:0\b/g, '24')
    .replace(/(\d+):[\d:]*/g, '$1');

function exactColor(name: string | null, truecolor: string | null): string | null {
  if (name === 'ansi-truecolor' && truecolor !== null) return `rgb(${truecolor})`;
  const index = /^ansi-palette-(\d+)$/.exec(name ?? '')?.[1];
  return index === undefined ? null : paletteColor(Number(index));
}

/** xterm's palette: a cube of 6 × 6 × 6, then 24 greys. 16 to 255. */
function paletteColor(index: number): string {
  if (index >= 232) {
    const grey = 8 + 10 * (index - 232);
    return `rgb(${grey}, ${grey}, ${grey})`;
  }
  const step = (value: number): number => (value === 0 ? 0 : 55 + 40 * value);
  const place = index - 16;
  return `rgb(${step(Math.floor(place / 36))}, ${step(Math.floor(place / 6) % 6)}, ${step(place % 6)})`;
}
