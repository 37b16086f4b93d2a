import { defineRunner, zodConfig } from '@gantry/plugin-kit/runner';
import * as z from 'zod';

/** What it says of its work is no answer. */
export default defineRunner({
  name: 'sound',
  version: '1.2.3',
  summary: 'Does nothing.',
  config: zodConfig(z.strictObject({ path: z.string().default('.') })),
  isIdempotent: 'yes' as never,
  run: () => Promise.resolve({ ok: true, outputs: {} }),
});
