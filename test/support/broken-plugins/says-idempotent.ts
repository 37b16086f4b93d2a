import { defineRunner, zodConfig } from '@gantry/plugin-kit/runner';
import * as z from 'zod';

/** Says of each config whether its work may be done twice, or fails at it. */
export default defineRunner({
  name: 'says-idempotent',
  version: '1.2.3',
  summary: 'Does nothing, once or twice.',
  config: zodConfig(z.strictObject({ path: z.string() })),
  isIdempotent: ({ path }) => {
    if (path === 'throw') throw new Error('It cannot tell.');
    return path === 'yes';
  },
  run: () => Promise.resolve({ ok: true, outputs: {} }),
});
