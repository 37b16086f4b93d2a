import type { PipelineDetailData } from '../../client/operations.ts';
import type { Json } from '../../client/operation.ts';

/** A param as the pipeline declares it. */
export type Param = NonNullable<NonNullable<PipelineDetailData['pipeline']>['version']>['params'][number];

/** What stands in the field of a param before anybody writes. */
export function startingText({ type, default: value, options }: Param): string {
  if (value === null || value === undefined) return '';
  if (options !== null) return JSON.stringify(value);
  return type === 'json' ? JSON.stringify(value, null, 2) : String(value as string | number | boolean);
}

/** The value that a field’s text stands for: none when it is left empty, so that the default holds. */
export function readParam(
  { type, isRequired, options }: Param,
  text: string,
): { readonly value?: Json; readonly problem?: string } {
  if (text === '' && type !== 'string') return isRequired ? { problem: 'It is needed.' } : {};
  if (options !== null) return text === '' ? {} : { value: JSON.parse(text) as Json };
  switch (type) {
    case 'string':
      return text === '' && !isRequired ? {} : { value: text };
    case 'boolean':
      return { value: text === 'true' };
    case 'integer':
    case 'number': {
      const value = Number(text);
      const isGood = type === 'integer' ? Number.isSafeInteger(value) : Number.isFinite(value);
      return isGood
        ? { value }
        : { problem: type === 'integer' ? 'It must be a whole number.' : 'It must be a number.' };
    }
    case 'json':
      try {
        return { value: JSON.parse(text) as Json };
      } catch (error) {
        return { problem: `It must be JSON: ${(error as Error).message}` };
      }
  }
}
