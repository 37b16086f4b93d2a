import { refusalType, type Refusal } from './errors.ts';

export const PipelineNotFoundRef = refusalType('PipelineNotFound', 'There is no pipeline of this name.');

/** The refusal for a pipeline that is not there. */
export function pipelineNotFound(name: string): Refusal<'PipelineNotFound'> {
  return { refusal: 'PipelineNotFound', message: `There is no pipeline “${name}”. \`pipelines\` lists what there is.` };
}
