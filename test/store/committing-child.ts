// A server in small, for kill -9: commits for ever and says each sequence once the commit has been acknowledged.
import { writeSync } from 'node:fs';
import { aRun, aTaskRun, committer, open } from './rows.ts';

const [url = ''] = process.argv.slice(2);
const store = await open(url);
// Expires at once, so that the next one need not wait; only the epoch guards the commits.
const lease = await store.leases.acquire('default', `child ${process.pid}`, 0);
if (!lease) throw new Error('The lease is not free.');
const commit = committer(store, lease);
for (let seq = lease.seq + 1; ; seq++) {
  const run = aRun(seq, { taskRunCount: 20 });
  await commit({
    createdRuns: [run],
    createdTaskRuns: Array.from({ length: 20 }, (_, ordinal) => aTaskRun(seq, ordinal)),
  });
  writeSync(1, `${seq}\n`);
}
