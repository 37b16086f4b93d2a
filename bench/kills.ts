// Is anything done twice when the server is killed? `npm run bench -- kills [kills] [sqlite|mariadb|both] [checkout]` kills a
// server (and the agent in it) so many times on each database, 0 to 250 ms after it has acknowledged runs of commands of
// 10 ms, 1 s and 25 s, lets all of them come to their end, and prints what the commands themselves have witnessed. With a
// checkout, the server of that one is killed, to compare.
import { databases } from '../test/support/databases.ts';
import { killRounds } from '../test/support/kill-rounds.ts';

const [kills = '100', which = 'both', root = process.cwd()] = process.argv.slice(2);

for (const { name, start } of databases) {
  if (which !== 'both' && which !== name.toLowerCase()) continue;
  const database = await start();
  try {
    const findings = await killRounds({
      kills: Number(kills),
      databaseUrl: await database.fresh(),
      withinMs: 250,
      random: Math.random,
      tasks: [
        { seconds: '0.01', count: 16, everyRuns: 1 },
        { seconds: '1', count: 4, everyRuns: 2 },
        { seconds: '25', count: 1, everyRuns: 4 },
      ],
      root,
      onKill: (count) => count % 10 === 0 && console.error(`${name}: killed ${count} times`),
    });
    console.log(`${name}: ${JSON.stringify(findings)}`);
  } finally {
    await database.stop();
  }
}
