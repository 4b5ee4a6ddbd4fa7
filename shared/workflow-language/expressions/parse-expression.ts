import jsonata from 'jsonata'
import { expressionPattern } from '#shared/contracts/workflows/values.ts'

/** A variable that an expression looks at and does not bind itself. */
export type Reference = { name: string; call: boolean; offset: number; fields: string[] }
/** `path`: the whole of it is a variable, and fields below that. */
export type Parsed =
  | { references: Reference[]; constant?: unknown; path?: { name: string; fields: string[] } }
  | { problem: string; offset: number }

/** JSONata between `{%` and `%}`; `undefined`: the text is no expression. */
export const codeOf = (text: string): string | undefined => expressionPattern.exec(text)?.[1]

export const isExpression = (value: unknown): value is string =>
  typeof value === 'string' && expressionPattern.test(value)

type Node = Record<string, unknown> & { type?: string; value?: unknown; position?: number }

/** A variable alone, or with names behind it. */
const pathOf = (root: Node, [first, ...more]: Reference[]): { path?: { name: string; fields: string[] } } => {
  const steps = root.type === 'path' ? (root.steps as Node[]).length - 1 : root.type === 'variable' ? 0 : undefined
  if (first === undefined || more.length > 0 || steps !== first.fields.length) return {}
  return { path: { name: first.name, fields: first.fields } }
}

const marker = 2
/** Parts of an expression stand inside of each other so often at most: who looks at them calls itself as often. */
const mostLevels = 1000

const isTooDeep = (root: object): boolean => {
  const open = [{ node: root, level: 1 }]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next.level > mostLevels) return true
    for (const node of Object.values(next.node))
      if (node !== null && typeof node === 'object') open.push({ node, level: next.level + 1 })
  }
  return false
}

/** Parses an expression with its marks. Offsets count from its first character. */
export const parseExpression = (text: string): Parsed => {
  try {
    const root = jsonata(codeOf(text) ?? '').ast() as unknown as Node
    if (isTooDeep(root)) return { problem: `its parts are inside of each other ${mostLevels} times`, offset: marker }
    const bound = new Set<string>()
    const found: Reference[] = []
    visit(root, { bound, found, call: false, fields: [] })
    const references = found.filter(({ name }) => name !== '' && name !== '$' && !bound.has(name))
    return { references, ...(root.type === 'value' && { constant: root.value }), ...pathOf(root, references) }
  } catch (error) {
    const { message, position = 0 } = error as { message: string; position?: number }
    return { problem: message, offset: position + marker }
  }
}

type Visit = { bound: Set<string>; found: Reference[]; call: boolean; fields: string[] }

/** Names bound anywhere in an expression count as bound in all of it. */
const visit = (node: unknown, { bound, found, call, fields }: Visit): void => {
  if (Array.isArray(node)) {
    for (const one of node) visit(one, { bound, found, call: false, fields: [] })
    return
  }
  if (node === null || typeof node !== 'object') return
  const { type, value, position = 0 } = node as Node
  if (type === 'variable') {
    const name = String(value)
    found.push({ name, call, fields, offset: position - name.length - 1 + marker })
  }
  for (const name of boundBy(node as Node)) bound.add(name)
  const steps = type === 'path' ? (node as { steps: Node[] }).steps : undefined
  for (const [key, child] of Object.entries(node)) {
    if (key === 'steps' && steps) for (const [at, step] of steps.entries()) visit(step, inPath(steps, at))
    else visit(child, { bound, found, call: key === 'procedure', fields: [] })
  }

  function inPath(all: Node[], at: number): Visit {
    return { bound, found, call: false, fields: at === 0 ? plainFields(all) : [] }
  }
}

/** The names that follow a variable, up to anything else. */
const plainFields = (steps: Node[]): string[] => {
  const names: string[] = []
  for (const step of steps.slice(1)) {
    if (step.type !== 'name') break
    names.push(String(step.value))
    if (step.stages !== undefined || step.group !== undefined) break
  }
  return steps[0]?.stages === undefined && steps[0]?.predicate === undefined ? names : []
}

const boundBy = (node: Node): string[] => {
  if (node.type === 'bind') return [String((node.lhs as Node).value)]
  if (node.type === 'lambda') return (node.arguments as Node[]).map(({ value }) => String(value))
  return [node.focus, node.index].filter((name) => typeof name === 'string')
}
