/**
 * The two house rules that oxlint does not have, as an oxlint plugin:
 *
 * - `gantry/import-direction`: the table of scripts/architecture.ts. oxlint's own no-restricted-imports sees only the
 *   specifier's text (`../loop.ts`), and the table is about the file that it resolves to.
 * - `gantry/pure`: no time, randomness, process or I/O in pure folders. Types cannot refuse Date.now and Math.random.
 */
import { builtinModules } from 'node:module';
import { posix, relative, sep } from 'node:path';
import { isPure, refusal } from './architecture.ts';

/** As much of an ESTree node as these rules look at. */
interface Node {
  readonly type: string;
  readonly parent?: Node;
  readonly name?: string;
  readonly value?: unknown;
  readonly source?: Node | null;
  readonly object?: Node;
  readonly property?: Node;
  readonly computed?: boolean;
  readonly callee?: Node;
  readonly left?: Node;
  readonly operator?: string;
  readonly arguments?: readonly Node[];
}

interface Context {
  readonly cwd: string;
  readonly filename: string;
  readonly sourceCode: { isGlobalReference(node: Node): boolean };
  report(problem: { readonly node: Node; readonly message: string }): void;
}

type Visitors = Record<string, (node: Node) => void>;

const pathOf = (context: Context): string => relative(context.cwd, context.filename).split(sep).join('/');

/** Calls `each` with every module a file names, whatever the syntax. */
function onImports(each: (node: Node, specifier: string, lazy: boolean) => void): Visitors {
  const visit =
    (lazy: boolean) =>
    (node: Node): void => {
      if (typeof node.source?.value === 'string') each(node.source, node.source.value, lazy);
    };
  return {
    ImportDeclaration: visit(false),
    ExportNamedDeclaration: visit(false),
    ExportAllDeclaration: visit(false),
    TSImportType: visit(false),
    ImportExpression: visit(true),
  };
}

const importDirection = {
  create(context: Context): Visitors {
    const from = pathOf(context);
    return onImports((node, specifier, lazy) => {
      const isOurs = specifier.startsWith('.') || specifier.startsWith('@gantry/');
      if (!isOurs) return;
      const target = specifier.startsWith('.') ? posix.join(posix.dirname(from), specifier) : specifier;
      const message = refusal(from, target, lazy);
      if (message) context.report({ node, message });
    });
  },
};

// The second group are ways round the first.
const BANNED_GLOBALS = new Set(
  [
    'performance setTimeout setInterval setImmediate queueMicrotask process crypto fetch console Buffer require',
    'globalThis global window self eval Function',
  ].flatMap((names) => names.split(' ')),
);

const REMEDY = 'Take `now` as an argument: pure code is handed time, randomness and ids.';

/** The property that `node` is asked for, when that is written down plainly. */
function plainProperty(node: Node): string | undefined {
  const parent = node.parent;
  if (parent?.type !== 'MemberExpression' || parent.object !== node || parent.computed) return undefined;
  return parent.property?.name;
}

/** Of Date, what needs no clock; anything else, such as `const { now } = Date`, might reach it. */
function isClocklessDate(node: Node): boolean {
  const parent = node.parent;
  if (parent?.type === 'NewExpression' && parent.callee === node) return (parent.arguments ?? []).length > 0;
  if (parent?.type === 'BinaryExpression') return parent.operator === 'instanceof' && parent.left !== node;
  return ['UTC', 'parse'].includes(plainProperty(node) ?? '');
}

const isTypePosition = (node: Node): boolean =>
  /^TS(TypeReference|QualifiedName|TypeQuery)$/.test(node.parent?.type ?? '');

/** What is wrong with a use of the global `node`; undefined when it is harmless. */
function impurity(node: Node): string | undefined {
  const name = node.name ?? '';
  if (BANNED_GLOBALS.has(name)) return name;
  if (name === 'Date' && !isClocklessDate(node)) return node.parent?.type === 'NewExpression' ? 'new Date()' : 'Date';
  const property = plainProperty(node);
  if (name === 'Math' && (property === undefined || property === 'random')) return 'Math.random';
  return undefined;
}

const pure = {
  create(context: Context): Visitors {
    if (!isPure(pathOf(context))) return {};
    return {
      ...onImports((node, specifier) => {
        const isNodes = specifier.startsWith('node:') || builtinModules.includes(specifier);
        if (isNodes) context.report({ node, message: `${specifier} in pure code. ${REMEDY}` });
      }),
      Identifier(node) {
        if (isTypePosition(node) || !context.sourceCode.isGlobalReference(node)) return;
        const what = impurity(node);
        if (what) context.report({ node, message: `${what} in pure code. ${REMEDY}` });
      },
    };
  },
};

export default { meta: { name: 'gantry' }, rules: { 'import-direction': importDirection, pure } };
