import { pipelineJsonSchema } from '../../server/definition/schema.ts';
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
    EXPRESSIONS,
    NUMBERS_AND_TEXT,
    WHAT_A_COMMAND_SEES,
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
  ],
)}

A string that is one expression becomes the value with its type; within a longer string, text is put in as it is and
everything else as JSON.`;

const NUMBERS_AND_TEXT = `## Numbers and text

A number is a double: up to 15 digits always survive. One that would be changed is refused with its place wherever it
comes from, and never rounded: \`9007199254740993\`, \`0.1234567890123456789\`, \`1e400\`. Write it as a string.

${table(
  ['where', 'what is written', 'what happens'],
  [
    [
      'items of `forEach`, `default` and `options` of a param of type `json`, values of label rules, and `with` where the runner takes text as well as numbers',
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
    [code('GANTRY_INPUTS'), 'the path of a JSON file: `{ params, tasks: { <key>: { outputs } }, item, index }`'],
    [
      code('GANTRY_OUTPUT'),
      'the path of a file to write outputs to: lines `name=text`, lines `name:=JSON`, or one JSON object',
    ],
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
)}`;
