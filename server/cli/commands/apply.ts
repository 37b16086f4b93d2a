import type { Client, UnionMember } from '../client.ts';
import type { Command, Context } from '../command.ts';
import { EXIT_CODES } from '../exit-code.ts';
import { codeOfType } from '../failure.ts';
import { problemLines, type ProblemView } from '../source-frame.ts';
import { oneLine } from '../terminal-text.ts';
import { readAllText, readTextFile } from '../text-file.ts';

/** What became of one file. */
interface Applied {
  readonly file: string;
  readonly pipeline: string | null;
  readonly version: number | null;
  /** What it did to the pipeline, or would have done in a dry run. */
  readonly outcome: 'CREATED' | 'CHANGED' | 'UNCHANGED' | 'INVALID' | 'REFUSED';
  readonly isDryRun: boolean;
  readonly message: string | null;
  readonly problems: readonly ProblemView[];
}

interface Answer extends UnionMember {
  readonly change?: 'CREATED' | 'CHANGED' | 'UNCHANGED';
  readonly version?: { readonly pipelineName: string; readonly number: number };
  readonly problems?: readonly ProblemView[];
}

export const apply: Command = {
  name: 'apply',
  summary: 'Applies pipelines: each change makes a new version.',
  details:
    'Every problem is printed as FILE:LINE:COLUMN with the line of the file and what to write instead. ' +
    'Of several files, the valid ones are applied; the exit code is 1 when any was not.',
  options: [
    {
      flags: '-f, --file <path>',
      summary: 'A YAML file; `-` for standard input.',
      isRepeatable: true,
      isRequired: true,
    },
    { flags: '--dry-run', summary: 'Checks only; nothing is stored.' },
  ],
  examples: [
    { command: 'gantry apply -f pipeline.yaml', meaning: 'apply one pipeline' },
    { command: 'gantry apply -f pipeline.yaml --dry-run', meaning: 'check it and store nothing' },
    { command: 'generate | gantry apply -f -', meaning: 'apply what another program writes' },
  ],
  async run({ options, context }) {
    const client = context.connect();
    const files = options.texts('file');
    const isDryRun = options.is('dryRun');
    const results: Applied[] = [];
    for (const file of files) {
      const yaml = file === '-' ? await readAllText(context.stdin) : readTextFile(file, context.cwd);
      const applied = await applyText(client, file === '-' ? '(stdin)' : file, yaml, isDryRun);
      results.push(applied);
      if (context.output.rendering !== 'JSON') print(applied, yaml, context);
    }
    if (context.output.rendering === 'JSON') context.output.result(results, () => []);
    const isGood = results.every(({ outcome }) => outcome !== 'INVALID' && outcome !== 'REFUSED');
    return isGood ? EXIT_CODES.SUCCEEDED.code : EXIT_CODES.FAILED.code;
  },
};

/** Applies a pipeline's text. What the server refuses is a result, so that other files still have their turn. */
export async function applyText(client: Client, file: string, yaml: string, dryRun: boolean): Promise<Applied> {
  const { applyPipeline: answer } = await client.ask<{ readonly applyPipeline: Answer }>('apply-pipeline', {
    input: { yaml, dryRun },
  });
  const { version, problems = [], message = null } = answer;
  const facts = { file, isDryRun: dryRun, problems };
  if (answer.__typename === 'ApplyPipelinePayload') {
    const outcome = answer.change ?? 'CHANGED';
    return { ...facts, pipeline: version?.pipelineName ?? null, version: version?.number ?? null, outcome, message };
  }
  const outcome = problems.length > 0 ? 'INVALID' : 'REFUSED';
  const said = message ?? codeOfType(answer.__typename);
  return { ...facts, pipeline: null, version: null, outcome, message: said };
}

const SENTENCES: Readonly<Record<string, readonly [done: string, dryRun: string]>> = {
  CREATED: ['created', 'valid, would be created'],
  CHANGED: ['changed', 'valid, would be changed'],
  UNCHANGED: ['unchanged', 'unchanged'],
};

function print(applied: Applied, yaml: string, { output }: Context): void {
  const { file, pipeline, version, outcome, message, problems, isDryRun } = applied;
  const sentence = SENTENCES[outcome]?.[isDryRun ? 1 : 0];
  if (sentence !== undefined) {
    const name = pipeline === null ? file : oneLine(pipeline);
    const fields = [name, ...(version === null ? [] : [`version ${version}`]), sentence];
    output.line(output.rendering === 'HUMAN' ? `${fields.slice(0, -1).join(' ')}: ${sentence}` : fields.join('\t'));
    return;
  }
  for (const problem of problems) for (const line of problemLines(file, yaml, problem, output)) output.line(line);
  if (problems.length === 0) output.line(`${file}: ${oneLine(message ?? outcome)}`);
  else
    output.note(
      `${file}: ${problems.length === 1 ? 'one problem' : `${problems.length} problems`}; nothing was stored`,
    );
}
