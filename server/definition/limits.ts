/** The longest text of a pipeline, in bytes of UTF-8. */
export const MAX_TEXT_BYTES = 1 << 20;

/** The most words, brackets and blanks of a text: more take the parser longer than anybody should wait. */
export const MAX_LEXEMES = 600_000;

/** Lists and objects within each other, the pipeline itself being the first. */
export const MAX_DEPTH = 32;

/** The most tasks of a pipeline. */
export const MAX_TASKS = 100_000;

/** The most needs of all tasks together. */
export const MAX_EDGES = 1_000_000;

/** The most params of a pipeline. */
export const MAX_PARAMS = 1000;

/** The most options of a param. */
export const MAX_OPTIONS = 1000;

/** The most entries of `env`, `resources`, `nodeSelector` and `tolerations`. */
export const MAX_ENTRIES = 1000;

/** The most items of a `forEach` that is written out. */
export const MAX_ITEMS = 100_000;

/** The longest value in `env`, in characters. */
export const MAX_ENV_CHARACTERS = 65_536;

/** The longest description, in characters. */
export const MAX_DESCRIPTION_CHARACTERS = 10_000;

/** The most retries of a task. */
export const MAX_RETRIES = 1000;

/** A run's priority lies between minus this and this. */
export const MAX_PRIORITY = 100;

/** The most problems that are reported at once. */
export const MAX_PROBLEMS = 50;

/** What a definition that came as JSON may hold. */
export const DEFINITION_LIMITS = { depth: MAX_DEPTH, values: 5_000_000, characters: 64 << 20 };

/** Steps that the search for upstream tasks may take: it is over in well under a second. */
export const MAX_UPSTREAM_STEPS = 30_000_000;
