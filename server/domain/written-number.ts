import { isExactNumber } from '@gantry/plugin-kit/exact-json';

/**
 * Whether a number of YAML’s core schema survives: what is printed of it is equal in value to what was written.
 *
 * @param written As it stands in the text: decimal, `0x1F` or `0o17`.
 */
export function survives(value: number, written: string): boolean {
  if (!Number.isFinite(value)) return false;
  return isExactNumber(/^0[ox]/.test(written) ? BigInt(written).toString() : written);
}
