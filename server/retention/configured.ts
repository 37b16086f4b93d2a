import { parseDuration } from '../domain/time.ts';
import type { ConfiguredRetention } from './limits.ts';

/** What the configuration says of retention, as texts that have been checked. */
export interface RetentionTexts {
  readonly retentionAge: string | null;
  readonly retentionRuns: number | string | null;
  readonly retentionAudit: string | null;
  readonly retentionKeys: string;
  readonly retentionEvents: string;
  readonly retentionInterval: string;
}

const milliseconds = (text: string): number => {
  const parsed = parseDuration(text);
  if (!parsed.ok) throw new RangeError(`${parsed.reason.message} ${parsed.reason.remedy ?? ''}`);
  return parsed.ms;
};
const ageOf = (text: string | null): number | 'NEVER' | null =>
  text === null ? null : text === 'never' ? 'NEVER' : milliseconds(text);

/** Reads the configuration's texts. Throws RangeError for one that was not checked. */
export function configuredRetention(texts: RetentionTexts): ConfiguredRetention {
  const { retentionRuns: runs } = texts;
  return {
    age: ageOf(texts.retentionAge),
    runs: runs === null ? null : runs === 'never' ? 'NEVER' : Number(runs),
    audit: ageOf(texts.retentionAudit),
    keys: milliseconds(texts.retentionKeys),
    events: milliseconds(texts.retentionEvents),
    interval: Math.max(1_000, milliseconds(texts.retentionInterval)),
  };
}
