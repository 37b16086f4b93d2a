// A sweep in small, for kill -9: removes runs two by two, purges them in small pieces, and says when each piece is done.
import { writeSync } from 'node:fs';
import { open } from './rows.ts';

const [url = ''] = process.argv.slice(2);
const store = await open(url);
for (;;) {
  const keys = (await store.retention.oldestRuns('work', -1, 2)).map(({ key }) => key);
  if (keys.length === 0) throw new Error('There was nothing left to be killed at.');
  await store.retention.remove(keys);
  do writeSync(1, 'piece\n');
  while ((await store.retention.purge(30)).hasMore);
}
