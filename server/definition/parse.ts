import { copyJson } from '../domain/json.ts';
import type { PipelineDefinition } from '../domain/pipeline.ts';
import { canonicalText } from './canonical.ts';
import { checkPipeline } from './check-pipeline.ts';
import { checkRewritten } from './check-rewritten.ts';
import type { RunnerChecks } from './check-runner.ts';
import { DEFINITION_LIMITS } from './limits.ts';
import { nowhere } from './positions.ts';
import { ProblemList, type PipelineProblem } from './problem.ts';
import { readForm } from './read-form.ts';
import { readYaml } from './read-yaml.ts';

/** A pipeline as its author wrote it, or as GraphQL input in the same form. */
export type PipelineInput = { readonly yaml: string } | { readonly definition: unknown };

/** A checked pipeline, or everything that is wrong with it (at most 50 problems, in the order of the text). */
export type ParseResult =
  | {
      readonly ok: true;
      /** With every default filled in; frozen. */
      readonly definition: PipelineDefinition;
      /** The text as it came; null when it did not come as text. */
      readonly source: string | null;
      /** Stable JSON of the definition: hash it to tell whether anything has changed. */
      readonly canonical: string;
    }
  | { readonly ok: false; readonly problems: readonly PipelineProblem[] };

/**
 * From an author's pipeline to a definition. Never throws, whatever it is given, and is never slow: size and depth are
 * bounded before anything else looks at them.
 */
export function parsePipeline(input: PipelineInput, options: RunnerChecks): ParseResult {
  const source = 'yaml' in input ? input.yaml : null;
  const read = 'yaml' in input ? readYaml(input.yaml) : readDefinition(input.definition);
  if (!read.ok) return read;
  const problems = new ProblemList(read.positions);
  for (const finding of read.findings) problems.add(finding);
  const form = readForm(read.value, problems);
  const definition = checkPipeline(form, options, problems);
  checkRewritten(read.rewritten, form, options, problems);
  if (definition === null || !problems.isEmpty) return { ok: false, problems: problems.sorted() };
  return { ok: true, definition, source, canonical: canonicalText(definition) };
}

function readDefinition(definition: unknown): ReturnType<typeof readYaml> {
  const copied = copyJson(definition, DEFINITION_LIMITS);
  const problems = new ProblemList();
  if (copied.ok) return { ok: true, value: copied.value, positions: nowhere, findings: [], rewritten: [] };
  problems.add(copied.fault);
  return { ok: false, problems: problems.sorted() };
}
