import jsonata from 'jsonata'
import { everyText } from './every-expression.ts'
import { codeOf } from './parse-expression.ts'

/** What an expression does with a variable: it hands it on as it is, counts it, or may look into it. */
export type Use = { name: string; how: 'whole' | 'counted' | 'looked' }

/** The name of `$states.result`. Anything else of `$states` is `states`. */
export const stateResult = 'states.result'

type Node = Record<string, unknown> & { type?: string; value?: unknown }

const has = (node: Node | undefined, type: string, ...keys: string[]): boolean =>
  node?.type === type && Object.keys(node).every((key) => ['type', 'position', ...keys].includes(key))

const isVariable = (node: Node | undefined): boolean => has(node, 'variable', 'value')
const isStateResult = (node: Node): boolean => {
  const [first, second, ...more] = has(node, 'path', 'steps') ? (node.steps as Node[]) : []
  return more.length === 0 && isVariable(first) && first?.value === 'states' && isResult(second)
}
const isResult = (node: Node | undefined): boolean => has(node, 'name', 'value') && node?.value === 'result'

/** Only a variable alone, and one that is the value of a field, is handed on: a list joins the lists that are in it. */
const usesIn = (node: Node): Use[] => {
  if (isVariable(node)) return [{ name: String(node.value), how: 'whole' }]
  if (isStateResult(node)) return [{ name: stateResult, how: 'whole' }]
  if (has(node, 'block', 'expressions') && (node.expressions as Node[]).length === 1)
    return (node.expressions as Node[]).flatMap(usesIn)
  if (has(node, 'unary', 'value', 'lhs') && node.value === '{')
    return (node.lhs as [Node, Node][]).flatMap(([key, value]) => [...looksIn(key), ...usesIn(value)])
  return looksIn(node)
}

/** A name that the expression binds itself counts as well. */
const looksIn = (node: unknown): Use[] => {
  if (Array.isArray(node)) return node.flatMap(looksIn)
  if (node === null || typeof node !== 'object') return []
  const { type, value, steps, procedure, arguments: given } = node as Node
  const own: Use[] = type === 'variable' ? [{ name: String(value), how: 'looked' }] : []
  if (type === 'path') return pathLooks(node as Node, steps as Node[])
  const [only, ...more] = type === 'function' ? (given as Node[]) : []
  if ((procedure as Node | undefined)?.value === 'count' && isVariable(only) && more.length === 0)
    return [{ name: String(only?.value), how: 'counted' }]
  return [...own, ...Object.values(node).flatMap(looksIn)]
}

const pathLooks = (node: Node, steps: Node[]): Use[] => {
  const [first, second] = steps
  const isOfResult = first?.type === 'variable' && first.value === 'states' && second?.value === 'result'
  const uses = Object.values(node).flatMap(looksIn)
  return uses.map((use) => (isOfResult && use.name === 'states' ? { ...use, name: stateResult } : use))
}

/** What the expressions in a value do with variables. */
export const usesOf = (value: unknown): Use[] =>
  everyText(value).flatMap(({ text }) => {
    const code = codeOf(text)
    return code === undefined ? [] : usesIn(jsonata(code).ast() as unknown as Node)
  })
