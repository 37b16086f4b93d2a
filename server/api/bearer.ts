/** The token of `Bearer <token>`; null for anything else. The scheme's case does not matter, blanks do. */
export function readBearer(authorization: string): string | null {
  return /^Bearer ([\x21-\x7e]+)$/i.exec(authorization)?.[1] ?? null;
}
