import { defineRunner, zodConfig } from '@gantry/plugin-kit/runner';
import * as z from 'zod';

/** Nothing is wrong with this one: the others differ from it in one thing each. */
export default defineRunner({
  name: 'sound',
  version: '1.2.3',
  summary: 'Does nothing.',
  config: zodConfig(z.strictObject({ path: z.string().default('.') })),
  run: () => Promise.resolve({ ok: true, outputs: {} }),
});
