const TEXT = /^\s*(text\/|application\/([\w.-]+\+)?(json|xml|yaml))/i;
const CHARSET = /;\s*charset\s*=\s*(?:"([^"]*)"|([^\s;",]+))/i;

/** Whether a content type is one that people can read. In any case: `Application/JSON` is. */
export const isText = (contentType: string | undefined): boolean => TEXT.test(contentType ?? '');

/** The charset that a content type names; null when it names none. */
export function charsetOf(contentType: string | undefined): string | null {
  const [, quoted, plain] = CHARSET.exec(contentType ?? '') ?? [];
  return (quoted ?? plain)?.trim() || null;
}

/** Whether a charset is UTF-8, by any of its names. */
export const isUtf8Name = (charset: string): boolean => /^(utf-?8|unicode-1-1-utf-8)$/i.test(charset);
