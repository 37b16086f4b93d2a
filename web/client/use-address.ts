import { useRouter } from 'next/router';
import { useCallback } from 'react';

/** What stands behind `?` in the address, which makes a view of a screen a link; null takes a word out. */
export function useAddress(): readonly [
  read: (name: string) => string | null,
  write: (words: Readonly<Record<string, string | null>>) => void,
] {
  const router = useRouter();
  const { query, asPath } = router;
  const read = useCallback(
    (name: string): string | null => {
      const value = query[name];
      return typeof value === 'string' ? value : (value?.[0] ?? null);
    },
    [query],
  );
  const write = useCallback(
    (words: Readonly<Record<string, string | null>>): void => {
      const [path = '/', text = ''] = asPath.split('#')[0]!.split('?');
      const search = new URLSearchParams(text);
      for (const [name, value] of Object.entries(words)) {
        if (value === null || value === '') search.delete(name);
        else search.set(name, value);
      }
      const next = search.toString();
      void router.replace(next === '' ? path : `${path}?${next}`, undefined, { shallow: true, scroll: false });
    },
    [router, asPath],
  );
  return [read, write];
}
