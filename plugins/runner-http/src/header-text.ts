import { isUtf8 } from 'node:buffer';

/*
 * Node hands header values on as if each byte were a character. What is not ASCII is UTF-8 where it can be, as nearly
 * everybody sends it, and otherwise ISO-8859-1, as HTTP once said.
 */

const NOT_ASCII = /[\u0080-\u00ff]/;

/** A header's value, or a reason phrase, as text. */
export function headerText(value: string): string {
  if (!NOT_ASCII.test(value)) return value;
  const bytes = Buffer.from(value, 'latin1');
  return isUtf8(bytes) ? bytes.toString() : value;
}

/** A header's value as Node is to send it: byte by byte, in UTF-8, as it is read here. */
export const headerBytes = (value: string): string =>
  /^[\0-\x7f]*$/.test(value) ? value : Buffer.from(value).toString('latin1');

/** A header’s value that is a URL: byte by byte as it came, as browsers read it, whatever its charset is. */
export function headerUrl(value: string): string {
  return value.replaceAll(/[\u0080-\u00ff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`);
}
