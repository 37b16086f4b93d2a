import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';

/** So many entries are looked at; what is in more is left out. */
const MAX_ENTRIES = 200_000;

/** The bytes of all files in a folder and below. What goes away meanwhile, or may not be read, counts for nothing. */
export async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  let entries = 0;
  const folders = [folder];
  for (let path = folders.pop(); path !== undefined && entries < MAX_ENTRIES; path = folders.pop()) {
    const listing = await opendir(path).catch(() => null);
    if (listing === null) continue;
    for await (const entry of listing) {
      entries++;
      const place = join(path, entry.name);
      if (entry.isDirectory()) folders.push(place);
      else bytes += (await lstat(place).catch(() => null))?.size ?? 0;
    }
  }
  return bytes;
}
