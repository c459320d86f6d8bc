import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import ts from 'typescript'

export const ROOT = resolve(import.meta.dirname, '../..')

/** All source files under a folder of the repository, as paths relative to the root. */
export function filesUnder(folder: string, pattern: RegExp): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map(name => join(folder, name))
    .filter(path => pattern.test(path) && !/node_modules|\/dist\/|\/out\/|\/cache\//.test(path))
    .sort()
}

export function parse(path: string): ts.SourceFile {
  return ts.createSourceFile(path, readFileSync(join(ROOT, path), 'utf8'), ts.ScriptTarget.Latest, true)
}

export type Import = { readonly specifier: string; readonly typeOnly: boolean }

/** Static and dynamic imports and re-exports of a file. */
export function importsOf(file: ts.SourceFile): Import[] {
  const found: Import[] = []
  const visit = (node: ts.Node): void => {
    if (
      (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) &&
      node.moduleSpecifier &&
      ts.isStringLiteral(node.moduleSpecifier)
    ) {
      const typeOnly = ts.isImportDeclaration(node) ? node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword : node.isTypeOnly
      found.push({ specifier: node.moduleSpecifier.text, typeOnly: typeOnly ?? false })
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments
      if (argument && ts.isStringLiteral(argument)) found.push({ specifier: argument.text, typeOnly: false })
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found
}

const aliases: Record<string, string> = { '#platform/*': 'src/platform' }

/** The repository path that an import of ours leads to, or null for a package. */
export function target(from: string, specifier: string): string | null {
  if (specifier.startsWith('.')) return relative(ROOT, resolve(ROOT, dirname(from), specifier))
  if (!specifier.startsWith('#')) return null
  const [layer = '', port] = specifier.slice(1).split('/')
  return port ? `${aliases['#platform/*']}/${port}/index.ts` : `src/${layer}/index.ts`
}

/**
 * Lines of every function, named where it has a name. Functions inside it are not counted again: each stands for itself,
 * and a factory is as long as what it does itself.
 */
export function functionLengths(file: ts.SourceFile): { name: string; lines: number }[] {
  const found: { name: string; lines: number }[] = []
  const linesOf = (node: ts.Node): number =>
    file.getLineAndCharacterOfPosition(node.end).line - file.getLineAndCharacterOfPosition(node.getStart()).line + 1
  /** Lines of the outermost functions below `node`. */
  const visit = (node: ts.Node): number => {
    let nested = 0
    ts.forEachChild(node, child => {
      nested += visit(child)
    })
    if (!(ts.isFunctionLike(node) && 'body' in node && node.body)) return nested
    const lines = linesOf(node)
    found.push({ name: nameOf(node, file), lines: lines - nested })
    return lines > 1 ? lines - 1 : 0
  }
  visit(file)
  return found
}

/** Lines (from 1) with an "as" or angle-bracket assertion, other than `as const`, that no comment explains on its line or just above. */
export function unexplainedCasts(file: ts.SourceFile): number[] {
  const lines = file.text.split('\n')
  const found = new Set<number>()
  const visit = (node: ts.Node): void => {
    if (ts.isAsExpression(node) && node.type.getText(file) !== 'const') {
      const first = file.getLineAndCharacterOfPosition(node.getStart()).line
      const last = file.getLineAndCharacterOfPosition(node.end).line
      if (!lines.slice(Math.max(0, first - 2), last + 1).some(line => /\bcasts?:/.test(line))) found.add(last + 1)
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return [...found]
}

function nameOf(node: ts.Node, file: ts.SourceFile): string {
  const named = node as { name?: ts.Node } // cast: only asks whether the node has a name
  if (named.name) return named.name.getText(file)
  if (node.parent && ts.isVariableDeclaration(node.parent)) return node.parent.name.getText(file)
  return '(anonymous)'
}
