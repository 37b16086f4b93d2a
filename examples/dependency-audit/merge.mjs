// Puts the audited shards together and writes report.json for programs and report.md for people.
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const LARGEST = 20;
const inputs = JSON.parse(readFileSync(process.env.GANTRY_INPUTS, 'utf8'));
const parts = inputs.tasks.audit.outputs.map(({ file }) => JSON.parse(readFileSync(file, 'utf8')));
const folder = dirname(dirname(inputs.tasks.audit.outputs[0].file));

const packages = parts
  .flatMap((part) => part.packages)
  .sort((a, b) => a.name.localeCompare(b.name) || a.path.localeCompare(b.path));
const unreadable = parts.flatMap((part) => part.unreadable);
const installed = packages.filter((each) => !each.isLink);

const counts = new Map();
for (const { licence } of installed) counts.set(licence ?? 'none', (counts.get(licence ?? 'none') ?? 0) + 1);
const licences = [...counts]
  .map(([licence, count]) => ({ licence, count }))
  .sort((a, b) => b.count - a.count || a.licence.localeCompare(b.licence));
const largest = installed.toSorted((a, b) => b.bytes - a.bytes).slice(0, LARGEST);
const withoutLicence = installed.filter((each) => each.licence === null);
const withInstallScripts = installed.filter((each) => each.installScripts.length > 0);
const bytes = installed.reduce((sum, each) => sum + each.bytes, 0);

const mebibytes = (count) => `${(count / 2 ** 20).toFixed(2)} MiB`;
// A package's own text must not become markup of the report.
const cell = (text) =>
  String(text)
    .replace(/[|\\`*_<>[\]]/g, '\\$&')
    .replace(/[\r\n]+/g, ' ');
const title = ({ name, version }) => cell(version === null ? name : `${name} ${version}`);
const table = (head, rows) =>
  rows.length === 0
    ? 'None.\n'
    : `| ${head.join(' | ')} |\n|${head.map(() => '---|').join('')}\n${rows.map((row) => `| ${row.join(' | ')} |\n`).join('')}`;

const markdown = `# Dependency audit

${installed.length} packages, ${mebibytes(bytes)}; ${packages.length - installed.length} linked from the project itself; ${unreadable.length} unreadable.

## Licences

${table(
  ['licence', 'packages'],
  licences.map(({ licence, count }) => [cell(licence), count]),
)}
## Largest packages

${table(
  ['package', 'size on disk'],
  largest.map((each) => [title(each), mebibytes(each.bytes)]),
)}
## Packages without a licence in package.json

${table(
  ['package', 'has a licence file'],
  withoutLicence.map((each) => [title(each), each.hasLicenceFile ? 'yes' : 'no']),
)}
## Packages with install scripts

${table(
  ['package', 'script', 'command'],
  withInstallScripts.flatMap((each) =>
    each.installScripts.map(({ name, command }) => [title(each), name, cell(command)]),
  ),
)}
## Unreadable packages

${table(
  ['path', 'why'],
  unreadable.map(({ path, message }) => [cell(path), cell(message)]),
)}`;

const report = join(folder, 'report.md');
writeFileSync(report, markdown);
writeFileSync(
  join(folder, 'report.json'),
  `${JSON.stringify({ packageCount: installed.length, bytes, licences, largest, withoutLicence, withInstallScripts, unreadable, packages }, null, 2)}\n`,
);

console.log(`${installed.length} packages, ${mebibytes(bytes)}, ${licences.length} licences`);
console.log(`${withoutLicence.length} without a licence, ${withInstallScripts.length} with install scripts`);
console.log(report);
appendFileSync(
  process.env.GANTRY_OUTPUT,
  `report=${report}\njson=${join(folder, 'report.json')}\npackages:=${installed.length}\nlicences:=${licences.length}\nwithoutLicence:=${withoutLicence.length}\nwithInstallScripts:=${withInstallScripts.length}\n`,
);
