// `node docs/generate.ts` writes docs/reference/; with `--check` it only looks whether that is needed.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { cliPage } from './pages/cli.ts';
import { configurationPage } from './pages/configuration.ts';
import { errorsPage } from './pages/errors.ts';
import { pipelinePage, pipelineSchemaText } from './pages/pipeline.ts';
import { schedulersPage } from './pages/schedulers.ts';
import { statesPage } from './pages/states.ts';

const FOLDER = fileURLToPath(new URL('./reference/', import.meta.url));

/** Every generated file of docs/reference/ and what it must hold. */
export function generatedFiles(): Readonly<Record<string, string>> {
  return {
    'cli.md': cliPage(),
    'configuration.md': configurationPage(),
    'errors.md': errorsPage(),
    'pipeline.md': pipelinePage(),
    'pipeline.schema.json': pipelineSchemaText(),
    'schedulers.md': schedulersPage(),
    'states.md': statesPage(),
  };
}

/** The names of those that are not as they must be. */
export function staleFiles(): readonly string[] {
  return Object.entries(generatedFiles())
    .filter(([name, text]) => checkedIn(name) !== text)
    .map(([name]) => name);
}

function checkedIn(name: string): string | null {
  try {
    return readFileSync(FOLDER + name, 'utf8');
  } catch {
    return null;
  }
}

if (import.meta.main) {
  const stale = staleFiles();
  if (!process.argv.includes('--check')) {
    const files = generatedFiles();
    for (const name of stale) writeFileSync(FOLDER + name, files[name] ?? '');
    console.log(stale.length === 0 ? 'docs/reference/ is current.' : `Written: ${stale.join(', ')}.`);
  } else if (stale.length > 0) {
    console.error(`docs/reference/ is not what the code says: ${stale.join(', ')}. Run \`npm run docs\`.`);
    process.exitCode = 1;
  }
}
