import * as z from 'zod';
import type { Json, Problem } from './vocabulary.ts';

/** What a plugin's user may configure. Two members, so that any validation library (or none) can provide it. */
export interface ConfigSchema<Config> {
  /** Fills in defaults and checks. Reports every problem, not only the first. Never throws. */
  check(
    value: unknown,
  ): { readonly ok: true; readonly config: Config } | { readonly ok: false; readonly problems: readonly Problem[] };
  /** JSON Schema 2020-12 of the *input*: the UI renders a form from it, the docs a table.
   *  A string marked `"x-literal": true` may hold no `${{ … }}`: data must not be spliced into it (a shell command).
   *  `"x-reads"` beside it says how it gets at data instead, for a hint that helps: `shell` (the default) by "$NAME",
   *  `program` from its environment, `nothing` for a word of a command, which nobody expands.
   *  One marked `"x-secret": true` must hold a `${{ secrets.… }}`: it may not be written down in a pipeline. */
  readonly jsonSchema: Json;
}

/** Makes a ConfigSchema from a zod schema. */
export function zodConfig<Schema extends z.ZodType>(schema: Schema): ConfigSchema<z.output<Schema>> {
  return {
    jsonSchema: z.toJSONSchema(schema, { io: 'input' }) as Json,
    check(value) {
      const result = schema.safeParse(value);
      if (result.success) return { ok: true, config: result.data };
      return {
        ok: false,
        problems: result.error.issues.map((issue) => ({
          code: issue.code.toUpperCase(),
          message: issue.message,
          path: issue.path.filter((step) => typeof step !== 'symbol'),
        })),
      };
    },
  };
}
