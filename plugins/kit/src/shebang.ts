/**
 * The words that a text’s first line (`#!/usr/bin/env node`) says to run it with: the interpreter and, as the kernel has
 * it, the rest of the line as one argument. Null for a text without such a line.
 */
export function shebangOf(text: string): readonly [string, ...string[]] | null {
  const [, program, argument] = /^#![ \t]*([^ \t\r\n]+)(?:[ \t]+([^\r\n]*?))?[ \t]*(?:\r?\n|$)/.exec(text) ?? [];
  if (program === undefined) return null;
  return argument === undefined || argument === '' ? [program] : [program, argument];
}
