import { faultText, inexactMessage, isExactNumber, readJson } from '@gantry/plugin-kit/exact-json';
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
    case 'number':
      return readNumber(text.trim(), type === 'integer');
    case 'json': {
      const read = readJson(text);
      if (read.ok) return { value: read.value };
      const { fault } = read;
      if (fault.code === 'NOT_JSON') return { problem: `It must be JSON: ${fault.message}` };
      return { problem: `${faultText(fault)} ${fault.remedy ?? ''}`.trim() };
    }
  }
}

function readNumber(text: string, isInteger: boolean): { readonly value?: Json; readonly problem?: string } {
  const value = Number(text);
  if (text === '' || Number.isNaN(value) || /^[-+]?0[box]/i.test(text))
    return { problem: `It must be a ${isInteger ? 'whole ' : ''}number.` };
  if (!isExactNumber(text)) return { problem: inexactMessage(text) };
  if (isInteger && !Number.isSafeInteger(value)) return { problem: 'It must be a whole number.' };
  return { value };
}
