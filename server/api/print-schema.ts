// `node server/api/print-schema.ts` writes schema.graphql; with `--check` it only looks whether that is needed.
import { lexicographicSortSchema, printSchema } from 'graphql';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { schema } from './schema.ts';

const FILE = fileURLToPath(new URL('../../schema.graphql', import.meta.url));

/** The whole schema as text, sorted so that a change shows as itself. */
export function printedSchema(): string {
  return `${printSchema(lexicographicSortSchema(schema))}\n`;
}

function checkedIn(): string {
  try {
    return readFileSync(FILE, 'utf8');
  } catch {
    return '';
  }
}

/** The first line in which two texts differ, from 1. */
function firstDifference(one: string, other: string): number {
  const [lines, others] = [one.split('\n'), other.split('\n')];
  return lines.findIndex((line, at) => line !== others[at]) + 1;
}

if (import.meta.main) {
  const printed = printedSchema();
  if (!process.argv.includes('--check')) {
    writeFileSync(FILE, printed);
  } else if (checkedIn() !== printed) {
    const line = firstDifference(printed, checkedIn());
    console.error(`schema.graphql is not what the server's types say, from line ${line} on. Run \`npm run schema\`.`);
    process.exitCode = 1;
  }
}
