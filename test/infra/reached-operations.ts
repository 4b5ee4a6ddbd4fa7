import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('../../', import.meta.url))
const ports = ['platform.ts', 'table.ts', 'workflows.ts'].map((name) => `${root}shared/platform/${name}`)

/** Operations of the API that a function is never asked for: what only they do is left out. */
export type Skipped = (operationId: string) => boolean
const none: Skipped = () => false

/** What is written at the top of a file: all of its names together. */
type Top = ts.Node
type Mentions = { tops: Set<Top>; operations: Set<string> }

const topOf = (node: ts.Node): Top => {
  let top = node
  while (!ts.isSourceFile(top.parent)) top = top.parent
  return top
}

const isTypeOnly = (node: ts.Node): boolean =>
  ts.isTypeNode(node) || ts.isTypeAliasDeclaration(node) || ts.isImportDeclaration(node)

/** `get: …` in `const taskHandlers = { get: … }`. */
const operationOf = (node: ts.Node): string | undefined => {
  if (!ts.isPropertyAssignment(node) && !ts.isShorthandPropertyAssignment(node)) return undefined
  const owner = node.parent.parent
  const isHandlers = ts.isVariableDeclaration(owner) && owner.name.getText().endsWith('Handlers')
  return isHandlers ? node.name.getText() : undefined
}

/** `Table.get`, or `main` of the platform itself. */
const nameOf = (declaration: ts.Declaration, name: string): string | undefined => {
  const { parent } = declaration
  if (ts.isInterfaceDeclaration(parent)) return `${parent.name.text}.${name}`
  const isPlatform = ts.isTypeLiteralNode(parent) && ts.isTypeAliasDeclaration(parent.parent)
  return isPlatform && parent.parent.name.getText() === 'Platform' ? name : undefined
}

/** Of all operations of ports, and of the ports themselves. */
const namesIn = (files: ts.SourceFile[]): Set<string> => {
  const names = new Set<string>()
  const visit = (node: ts.Node): void => {
    const isNamed = ts.isMethodSignature(node) || ts.isPropertySignature(node)
    if (isNamed && nameOf(node, node.name.getText()) !== undefined) names.add(node.name.getText())
    ts.forEachChild(node, visit)
  }
  for (const file of files) visit(file)
  return names
}

const load = (files: string[]) => {
  const config = ts.getParsedCommandLineOfConfigFile(
    `${root}tsconfig.json`,
    {},
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: (one) => {
        throw new Error(String(one.messageText))
      },
    },
  )
  const program = ts.createProgram(files, { ...config?.options, noEmit: true })
  return { program, checker: program.getTypeChecker() }
}

type Known = { checker: ts.TypeChecker; portNames: Set<string> }

/** A property is looked up when its name may be one of a port: types of everything else are not worth their time. */
const symbolsAt = ({ checker, portNames }: Known, node: ts.Identifier): ts.Symbol[] => {
  const { parent } = node
  const found: (ts.Symbol | undefined)[] = []
  const isProperty = ts.isPropertyAccessExpression(parent) && parent.name === node
  if (!ts.isPropertyAssignment(parent) || parent.name !== node)
    if (!isProperty || portNames.has(node.text)) found.push(checker.getSymbolAtLocation(node))
  if (ts.isBindingElement(parent) && ts.isObjectBindingPattern(parent.parent)) {
    const name = (parent.propertyName ?? parent.name).getText()
    if (portNames.has(name)) found.push(checker.getTypeAtLocation(parent.parent).getProperty(name))
  }
  if (ts.isShorthandPropertyAssignment(parent)) found.push(checker.getShorthandAssignmentValueSymbol(parent))
  return found.filter((one) => one !== undefined)
}

const declarationsOf = (checker: ts.TypeChecker, symbol: ts.Symbol): ts.Declaration[] =>
  (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol).declarations ?? []

const isOurs = (fileName: string): boolean =>
  fileName.startsWith(root) && !/node_modules|shared\/platform\//.test(fileName.slice(root.length))

const noteSymbol = (mentions: Mentions, checker: ts.TypeChecker, symbol: ts.Symbol): void => {
  for (const declaration of declarationsOf(checker, symbol)) {
    const { fileName } = declaration.getSourceFile()
    const operation = ports.includes(fileName) ? nameOf(declaration, symbol.name) : undefined
    if (operation !== undefined) mentions.operations.add(operation)
    else if (isOurs(fileName) && !ts.isSourceFile(declaration)) mentions.tops.add(topOf(declaration))
  }
}

const mentionsOf = (known: Known, top: Top, skips: Skipped): Mentions => {
  const mentions: Mentions = { tops: new Set(), operations: new Set() }
  const visit = (node: ts.Node): void => {
    const operation = operationOf(node)
    if (isTypeOnly(node) || (operation !== undefined && skips(operation))) return
    if (ts.isIdentifier(node)) for (const symbol of symbolsAt(known, node)) noteSymbol(mentions, known.checker, symbol)
    ts.forEachChild(node, visit)
  }
  visit(top)
  return mentions
}

/** The operations that are mentioned by what these mention, and so on. */
const operationsFrom = (tops: readonly Top[], mentionsIn: (top: Top) => Mentions): Set<string> => {
  const left = [...tops]
  const [seen, operations] = [new Set(left), new Set<string>()]
  for (let top = left.pop(); top !== undefined; top = left.pop()) {
    const mentions = mentionsIn(top)
    for (const operation of mentions.operations) operations.add(operation)
    left.push(...[...mentions.tops].filter((next) => !seen.has(next)))
    for (const next of mentions.tops) seen.add(next)
  }
  return operations
}

/**
 * The operations of ports that the code of functions can come to, by the names that declarations mention: whoever has a
 * function of the domain in its reach is taken to call it.
 */
export const reachedOperations = (functions: string[]) => {
  const fileOf = (name: string) => `${root}functions/${name}/handler.ts`
  const { program, checker } = load(functions.map(fileOf))
  const known = { checker, portNames: namesIn(ports.flatMap((file) => program.getSourceFile(file) ?? [])) }
  /** Functions have most of the domain in common. */
  const whole = new Map<Top, Mentions>()
  const wholeMentions = (top: Top): Mentions => {
    const mentions = whole.get(top) ?? mentionsOf(known, top, none)
    whole.set(top, mentions)
    return mentions
  }
  return (name: string, skips: Skipped = none): Set<string> =>
    operationsFrom(
      program.getSourceFile(fileOf(name))?.statements ?? [],
      skips === none ? wholeMentions : (top) => mentionsOf(known, top, skips),
    )
}
