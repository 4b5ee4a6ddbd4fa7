import jsonata from 'jsonata'

/** What could take time or memory that nothing but the end of its thread bounds. */
const risky = new Set(['lambda', 'partial', 'regex', 'transform', 'bind'])
const riskyFunctions = new Set(['pad', 'range', 'distinct', 'reduce', 'zip'])
/** Their output grows with one of their arguments, by its position. */
const growing: Record<string, number> = { join: 1, replace: 2 }
const shortText = 16

type Node = { type?: string; value?: unknown; procedure?: Node; arguments?: Node[] }

const isShort = (node: Node | undefined): boolean =>
  node === undefined || (node.type === 'string' && String(node.value).length <= shortText)

const isRiskyCall = ({ procedure, arguments: given = [] }: Node): boolean => {
  const name = String(procedure?.value)
  const grows = growing[name]
  return riskyFunctions.has(name) || (grows !== undefined && !isShort(given[grows]))
}

const isRiskyNode = (node: Node): boolean =>
  risky.has(node.type ?? '') ||
  (node.type === 'binary' && node.value === '..') ||
  (node.type === 'function' && isRiskyCall(node))

const isRisky = (node: unknown): boolean => {
  if (node === null || typeof node !== 'object') return false
  return isRiskyNode(node) || Object.values(node).some(isRisky)
}

/** Whether an expression only takes and puts together what is there: its time can be bounded from inside. */
export const isModest = (source: string): boolean => !isRisky(jsonata(source).ast())

/** Counts characters of a value as JSON, roughly and only until there are too many. */
export const exceeds = (value: unknown, most: number): boolean => {
  let left = most
  const count = (part: unknown): void => {
    left -= typeof part === 'string' ? part.length + 2 : 2
    if (left < 0 || part === null || typeof part !== 'object') return
    for (const [key, inner] of Object.entries(part)) {
      left -= key.length
      count(inner)
      if (left < 0) return
    }
  }
  count(value)
  return left < 0
}
