import { MAX_OUTPUT_BYTES } from '../../server/agent/outcome.ts';
import * as definitionLimits from '../../server/definition/limits.ts';
import { pipelineJsonSchema } from '../../server/definition/schema.ts';
import { MAX_EXPRESSIONS, MAX_RENDERED_CHARACTERS } from '../../server/domain/expression.ts';
import { MAX_PARAM_CHARACTERS } from '../../server/domain/params.ts';
import { MAX_LOSSES } from '../../server/domain/retry.ts';
import { MAX_GANG, MAX_TASK_RUNS } from '../../server/engine/core/limits.ts';
import { code, heading, page, table } from './markdown.ts';

/** The parts of JSON Schema that the pipeline's schema uses. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
}

/** docs/reference/pipeline.schema.json, for editors. */
export function pipelineSchemaText(): string {
  return `${JSON.stringify(pipelineJsonSchema(), null, 2)}\n`;
}

/** docs/reference/pipeline.md */
export function pipelinePage(): string {
  const schema = pipelineJsonSchema() as Schema;
  const task = schema.properties?.['tasks']?.items ?? {};
  const param = schema.properties?.['params']?.additionalProperties;
  const retry = task.properties?.['retry']?.anyOf?.find((each) => each.properties);
  const toleration = task.properties?.['tolerations']?.items;
  const intro = [
    'A pipeline is written in YAML, or handed to `applyPipeline` as data of the same shape. A field that is not in these',
    'tables is refused with its line and column. [pipeline.schema.json](pipeline.schema.json) is the JSON Schema; editors',
    'with a YAML language server check against it when a file begins with',
    '`# yaml-language-server: $schema=<path of pipeline.schema.json>`.',
  ].join('\n');
  return page([
    heading('Pipelines', intro, 'server/definition/schema.ts'),
    '## Pipeline',
    fieldsTable(schema),
    '## Param (`params.<name>`)',
    fieldsTable(typeof param === 'object' ? param : {}),
    '## Task (`tasks[]`)',
    fieldsTable(task),
    '## Retry (`tasks[].retry`)',
    fieldsTable(retry ?? {}),
    '## Toleration (`tasks[].tolerations[]`)',
    fieldsTable(toleration ?? {}),
    FORMATS,
    EXPRESSIONS,
    NUMBERS_AND_TEXT,
    WHAT_A_COMMAND_SEES,
    OUTPUTS,
    limitsSection(),
  ]);
}

function fieldsTable(schema: Schema): string {
  const fields = Object.entries(schema.properties ?? {});
  if (fields.length === 0)
    throw new Error('The JSON Schema of pipelines has another shape than docs/pages/pipeline.ts expects.');
  return table(
    ['field', 'is', 'required', 'meaning'],
    fields.map(([name, field]) => [
      code(name),
      typeText(field),
      schema.required?.includes(name) ? 'yes' : '',
      field.description ?? '',
    ]),
  );
}

function typeText({ type, anyOf, enum: values, items, additionalProperties }: Schema): string {
  if (values) return values.map((value) => code(String(value))).join(', ');
  if (anyOf) return [...new Set(anyOf.map(typeText))].join(' or ');
  if (type === 'array') return `list of ${items?.properties ? 'objects' : items ? typeText(items) : 'any'}`;
  if (type === 'object' && typeof additionalProperties === 'object')
    return `map of ${additionalProperties.properties ? 'objects' : typeText(additionalProperties)}`;
  return type === undefined ? 'any' : [type].flat().join(' or ');
}

const FORMATS = `## How values are written

**Names.** A pipeline, a task and a pool are lower case letters, digits, \`-\` and \`_\`, at most 63, beginning with a letter or
digit. A param is letters, digits and \`_\`, at most 63, not beginning with a digit; two params of a pipeline must differ in
more than case. A variable of \`env\` is letters, digits and \`_\`, at most 128, not beginning with a digit: names in lower
case are names, and case matters. Reserved are \`PATH\`, \`ENV\`, \`BASH_ENV\`, \`IFS\`, \`NODE_OPTIONS\` and what begins with
\`LD_\`, \`DYLD_\`, \`PYTHON\` or \`GANTRY_\`. A resource is lower case letters, digits, \`.\`, \`-\` and \`/\`, at most 63,
beginning with a letter. A label is letters, digits, \`.\`, \`_\`, \`-\` and \`/\`, at most 253.

**Durations** are numbers with units, the larger unit first, each at most once: \`250ms\`, \`90s\`, \`5m\`, \`1h30m\`, \`1.5h\`,
\`2d\`, \`1w\`; or ISO 8601: \`PT5M\`, \`P1DT2H\`. \`0\` needs no unit, every other number does. Refused are months and years,
what is finer than a millisecond, and more than ten years of 365 days.

**Amounts** depend on the resource:${table(
  ['resource', 'is written as', 'in steps of'],
  [
    [code('cpu'), '`2`, `0.5`, `500m`', 'a thousandth of a core'],
    [code('gpu'), '`1`, `2` are whole ones; `0.5`, `500m` a part of one', 'a thousandth, or whole ones above 1'],
    [
      '`memory`, `disk`',
      '`512Mi`, `1.5Gi` (`Ki` to `Ei`, powers of 1024), `1G` (`k` to `E`, powers of 1000), plain bytes',
      'a byte, rounded up',
    ],
    ['anything else', '`3`', 'whole ones'],
  ],
).replace(/^/, '\n\n')}

Amounts may have an exponent (\`1e3\`) and are never negative.

**Text that looks like a number** needs quotes where text is wanted: \`V: "3.10"\`. Nothing is converted.`;

const EXPRESSIONS = `## Expressions

\`\${{ … }}\` names a value; it computes nothing. It may stand in \`with\`, \`env\` and \`forEach\` of a task, except where a runner
asks for literal text: the \`command\` of the shell runner, for example, so that no data is ever read as part of a command.

${table(
  ['expression', 'is'],
  [
    [code('${{ params.<name> }}'), 'a param of the run'],
    [
      code('${{ tasks.<key>.outputs.<name> }}'),
      'an output of a task upstream; of a task that fanned out, `outputs` is the list of its instances',
    ],
    [code('${{ secrets.<NAME> }}'), 'a secret of the node that runs the attempt; in `env` and `with` only'],
    [code('${{ item }}'), 'in a task with `forEach`: the item of this instance'],
    [code('${{ index }}'), 'its place in the list, from 0'],
    [code('${{ run.id }}'), 'the id of the run; nothing else of the run can be read'],
  ],
)}

A part of a value is named by \`.name\` or \`[0]\`. What does not exist fails the attempt (\`EXPRESSION_UNRESOLVED\`).

A string that is one expression becomes the value with its type; within a longer string, text is put in as it is and
everything else as JSON.`;

const NUMBERS_AND_TEXT = `## Numbers and text

A number is a double: up to 15 digits always survive. One that would be changed is refused with its place wherever it
comes from, and never rounded: \`9007199254740993\`, \`0.1234567890123456789\`, \`1e400\`. Write it as a string.

${table(
  ['where', 'what is written', 'what happens'],
  [
    [
      'items of `forEach`, `default` and `options` of a param of type `json`, and `with` where the runner takes text as well as numbers',
      '`3.10`, `010`, `0x1F`, `True`',
      'refused (`BAD_NUMBER`), because text made of it would read otherwise: write `"3.10"`, or `3.1`',
    ],
    [
      'where only a number can be meant: `resources`, `gt`, a param of type `number` or `integer`',
      '`1.0`, `3.10`',
      'the number; as text it is `1`, `3.1`',
    ],
    ['JSON: outputs (`name:=JSON`), params by API and `--param`', '`3.10`', 'the number; as text it is `3.1`'],
    ['text: outputs (`name=text`), params of type `string`, everything in quotes', '`3.10`', '`3.10`'],
    ['JSON', '`{ "a": 1, "a": 2 }`', 'refused (`DUPLICATE_KEY`)'],
  ],
)}`;

const WHAT_A_COMMAND_SEES = `## What a command sees

${table(
  ['variable', 'holds'],
  [
    [code('GANTRY_PARAM_<NAME>'), 'each param: text as it is, everything else as JSON; the name in capitals'],
    [code('GANTRY_ITEM'), 'with `forEach`: the item, text as it is, everything else as JSON'],
    [code('GANTRY_INDEX'), 'with `forEach`: its place in the list, from 0'],
    [
      code('GANTRY_INPUTS'),
      'the path of a JSON file: `{ params, run: { id }, tasks: { <key>: { outputs } }, item, index }`; not there when there is nothing to read',
    ],
    [code('GANTRY_OUTPUT'), 'the path of a file to write [outputs](#outputs) to'],
    [
      code('GANTRY_PROGRESS'),
      'the path of a file to append progress to, a line each: `3/10 message`, `45% message`; shown live',
    ],
    [
      code('GANTRY_CHECKPOINT'),
      'the path of a file for whatever the next attempt is to go on from: it finds there what the one before left, at most 64 KiB of text',
    ],
    [code('GANTRY_RUN_ID'), 'the id of the run'],
    [code('GANTRY_TASK'), 'the key of the task'],
    [code('GANTRY_ATTEMPT'), 'the number of the attempt, from 1; `GANTRY_ATTEMPT_ID` is unique for ever'],
    [code('GANTRY_WORKDIR'), 'the folder of this attempt alone, in which the command starts; also `HOME` and `TMPDIR`'],
    [
      code('PATH'),
      "the server's, behind the folder of the Node that Gantry runs on; of the rest of its environment only `LANG` is handed on",
    ],
  ],
)}

A \`command\` is run by a shell without \`-e\`: a line that fails does not end it, and its exit code is that of the last line.
Begin with \`set -e\` (with bash also \`-o pipefail\`) where the first failure is to count.`;

const OUTPUTS = `## Outputs

A command writes them to the file \`$GANTRY_OUTPUT\`, in one of two forms: a JSON object, when the file begins with \`{\`; or
lines, in which a later one of the same name wins.

${table(
  ['line', 'is'],
  [
    [code('name=text'), 'text, up to the end of the line'],
    [code('name:=JSON'), 'any JSON value in one line: `count:=3`, `files:=["a","b"]`'],
    [code('name<<END'), 'text of several lines, up to a line that is `END`; any other word will do'],
  ],
)}

A name is letters, digits, \`_\` and \`-\`, beginning with a letter or \`_\`. A file that cannot be read so fails the attempt
(\`OUTPUT_MALFORMED\`), though its command succeeded.

A task that wrote none has no outputs, and one that failed has none, also where \`allowFailure\` tolerates it: \`\${{ tasks.<key>.outputs }}\` is then \`null\`, in the
list of a fan-out the instance’s entry is, and an expression that reads a name of it fails.`;

/** What there may be of everything, from the code that bounds it. */
function limitsSection(): string {
  const { MAX_TASKS, MAX_EDGES, MAX_PARAMS, MAX_ENTRIES, MAX_ITEMS, MAX_RETRIES, MAX_DEPTH } = definitionLimits;
  const count = (number: number): string => number.toLocaleString('en-US');
  const size = (bytes: number): string => (bytes >= 1 << 20 ? `${bytes / (1 << 20)} MiB` : `${bytes / 1024} KiB`);
  return `## Limits

${table(
  ['of', 'at most'],
  [
    ['the text of a pipeline', `${size(definitionLimits.MAX_TEXT_BYTES)}, ${MAX_DEPTH} levels deep`],
    ['tasks of a pipeline; needs of all of them together', `${count(MAX_TASKS)}; ${count(MAX_EDGES)}`],
    [
      'params; entries of `env`, `resources`, `nodeSelector`, `tolerations`',
      `${count(MAX_PARAMS)}; ${count(MAX_ENTRIES)}`,
    ],
    ['items of a `forEach` that is written out', count(MAX_ITEMS)],
    ['task runs of a run, all fan-outs together', `${count(MAX_TASK_RUNS)} (\`FAN_OUT_TOO_LARGE\`)`],
    ['instances of a gang', `${count(MAX_GANG)} (\`GANG_TOO_LARGE\`)`],
    ['`retry.max`', count(MAX_RETRIES)],
    ['losses through no fault of its own that a task run survives', count(MAX_LOSSES)],
    ['a param', `${size(MAX_PARAM_CHARACTERS)} as JSON`],
    ['a value of `env` as it is written', size(definitionLimits.MAX_ENV_CHARACTERS)],
    [
      'one variable or argument of a command, expressions put in',
      '128 KiB, the kernel’s limit (`BAD_SPEC`): larger values are in the file `$GANTRY_INPUTS`',
    ],
    ['expressions of one string', count(MAX_EXPRESSIONS)],
    ['`with` and `env` of an attempt, expressions put in', size(MAX_RENDERED_CHARACTERS)],
    ['outputs of an attempt', `${size(MAX_OUTPUT_BYTES)} (\`OUTPUTS_TOO_LARGE\`)`],
  ],
)}`;
}
