import { MUTATIONS, type Mutation } from './mutations.ts';
import { simulate } from './simulation.ts';

// node test/simulation/replay.ts SEED [MUTATION]: plays one history again and tells what came of it.
const [seed, mutation] = process.argv.slice(2);
if (!seed || (mutation && !(mutation in MUTATIONS))) {
  console.error(`Usage: node test/simulation/replay.ts SEED [${Object.keys(MUTATIONS).join('|')}]`);
  process.exit(2);
}
const outcome = simulate(Number(seed), (mutation as Mutation | undefined) ?? null);
console.log(outcome.trace);
console.log(outcome.broken ? outcome.broken.stack : 'Every promise was kept.');
process.exitCode = outcome.broken ? 1 : 0;
