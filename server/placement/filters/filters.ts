import { eligibility } from './eligibility.ts';
import type { Filter } from './filter.ts';
import { resources } from './resources.ts';
import { runner } from './runner.ts';
import { selector } from './selector.ts';
import { taint } from './taint.ts';

/** Every rule that decides whether a node will do for a task, whatever is free on it. */
export const FILTERS: readonly Filter[] = [eligibility, runner, selector, taint, resources];
