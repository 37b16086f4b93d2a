import { parseSync } from '@swc/core';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

interface Syntax {
  readonly type?: string;
  readonly [field: string]: unknown;
}

/** What only describes, compares or lists: a literal in there makes nothing. */
const DESCRIBES: ReadonlySet<string> = new Set([
  'TsTypeAliasDeclaration',
  'TsInterfaceDeclaration',
  'TsTypeAnnotation',
  'TsLiteralType',
  'TsTypeParameterInstantiation',
  'TsConstAssertion',
  'ImportDeclaration',
]);
const COMPARES: ReadonlySet<string> = new Set(['===', '!==', 'in']);
/** Calls whose arguments are tables or checks of what others made. */
const LISTS: ReadonlySet<string> = new Set(['enum', 'literal', 'enumOf', 'transitions', 'includes', 'has']);

/**
 * The strings that some files can make: literals where a value is made of them, and not in types, comparisons, `case`,
 * keys, tables and checks.
 */
export function producedStrings(...patterns: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  for (const file of filesOf(patterns)) collect(parsed(file), found);
  return found;
}

/** The same of a text. */
export function stringsMadeBy(source: string): ReadonlySet<string> {
  const found = new Set<string>();
  collect(syntaxOf(source, false), found);
  return found;
}

/** The members that some files read of anything: `config.port`, `const { port } = config`. */
export function readMembers(...patterns: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) return node.forEach(visit);
    if (typeof node !== 'object' || node === null) return;
    const { type, property, key } = node as Syntax;
    const name = (type === 'MemberExpression' ? property : type?.endsWith('PatternProperty') ? key : undefined) as
      { readonly value?: unknown } | undefined;
    if (typeof name?.value === 'string') found.add(name.value);
    Object.values(node).forEach(visit);
  };
  for (const file of filesOf(patterns)) visit(parsed(file));
  return found;
}

function filesOf(patterns: readonly string[]): readonly string[] {
  const files = patterns.flatMap((pattern) => globSync(pattern, { cwd: ROOT }));
  if (files.length === 0) throw new Error(`There are no files ${patterns.join(', ')}.`);
  return files.filter((file) => !file.includes('node_modules'));
}

const parsed = (file: string): Syntax => syntaxOf(readFileSync(join(ROOT, file), 'utf8'), file.endsWith('.tsx'));

const syntaxOf = (source: string, tsx: boolean): Syntax =>
  parseSync(source, { syntax: 'typescript', tsx, target: 'es2024' }) as unknown as Syntax;

function collect(node: unknown, found: Set<string>): void {
  if (Array.isArray(node)) {
    for (const each of node as readonly unknown[]) collect(each, found);
    return;
  }
  if (typeof node !== 'object' || node === null) return;
  const syntax = node as Syntax;
  const { type = '' } = syntax;
  if (DESCRIBES.has(type)) return;
  if (type === 'StringLiteral') found.add(String(syntax['value']));
  else if (type === 'BinaryExpression' && COMPARES.has(String(syntax['operator']))) return;
  else if (type === 'SwitchCase') collect(syntax['consequent'], found);
  else if (type === 'KeyValueProperty') collect(syntax['value'], found);
  else if (type === 'NewExpression' && nameOf(syntax['callee']) === 'Set') return;
  else if (type === 'CallExpression' && LISTS.has(nameOf(syntax['callee']))) return;
  else Object.values(syntax).forEach((each) => collect(each, found));
}

/** The last name of what is called: `enum` of `z.enum(…)`. */
function nameOf(callee: unknown): string {
  const { type, value, property } = callee as Syntax;
  if (type === 'Identifier') return String(value);
  return type === 'MemberExpression' ? String((property as Syntax)['value']) : '';
}
