import type { HalfUsed } from '../contract.ts';

export function useHalf(plugin: HalfUsed): number {
  plugin.used();
  return plugin.read.inside;
}
