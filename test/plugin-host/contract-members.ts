import { join } from 'node:path';
import { API, type Project } from 'typescript/unstable/sync';
import { SyntaxKind, type Node, type SourceFile } from 'typescript/unstable/ast';

/** One member of a type, as the source declares it. */
export interface ContractMember {
  /** `Type.member`. */
  readonly name: string;
  /** Whether it is something to be called. */
  readonly isMethod: boolean;
  /** Whether a file below the given folder reads, writes or implements it, as the type checker sees it. */
  isReferred(): boolean;
}

/** Reads from TypeScript's own syntax trees and references what types promise, and who keeps it. */
export class ContractReader {
  readonly #root: string;
  readonly #api: API;
  readonly #project: Project;

  /** @param root Where tsconfig.json is. Starts a compiler; `close` ends it. */
  constructor(root: string) {
    this.#root = root;
    this.#api = new API({ cwd: root });
    const snapshot = this.#api.updateSnapshot({ openProjects: [join(root, 'tsconfig.json')] });
    this.#project = snapshot.getProjects()[0]!;
  }

  /** All members that the types of a file declare. @param path Relative to the root. @param users The folder of those who should use them. */
  membersOf(path: string, users: string): readonly ContractMember[] {
    const source = this.#project.program.getSourceFile(join(this.#root, path));
    if (source === undefined) throw new Error(`${path} is not part of the project.`);
    const members: ContractMember[] = [];
    const visit = (node: Node, owner: string): void => {
      const inner = declaredName(node) ?? owner;
      if (node.kind === SyntaxKind.PropertySignature || node.kind === SyntaxKind.MethodSignature) {
        const { name } = node as Node & { readonly name: Node & { readonly text: string } };
        const isMethod = node.kind === SyntaxKind.MethodSignature;
        const isReferred = (): boolean => this.#isReferred(source, name, users);
        members.push({ name: `${inner}.${name.text}`, isMethod, isReferred });
      }
      node.forEachChild((child) => visit(child, inner));
    };
    source.forEachChild((child) => visit(child, ''));
    return members;
  }

  close(): void {
    this.#api.close();
  }

  #isReferred(source: SourceFile, name: Node, users: string): boolean {
    const folder = join(this.#root, users, '/');
    const found = this.#project.checker.getReferencedSymbolsForNode(name, name.getStart(source));
    return found.some(({ references }) => references.some(({ path }) => String(path).startsWith(folder)));
  }
}

function declaredName(node: Node): string | null {
  if (node.kind !== SyntaxKind.InterfaceDeclaration && node.kind !== SyntaxKind.TypeAliasDeclaration) return null;
  return (node as Node & { readonly name: { readonly text: string } }).name.text;
}
