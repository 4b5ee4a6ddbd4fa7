import { isScalar, type LineCounter, type Pair, type Scalar, type YAMLMap } from 'yaml'
import type { Finding, Path } from '../problem.ts'

/** Lines and columns count from 1. */
export const placeAt = (lines: LineCounter, offset: number): { line: number; column: number } => {
  const { line, col } = lines.linePos(offset)
  return { line, column: col }
}

type Node = { range?: [number, number, number] | null }

/** Where a value begins; of one that is not there, where the nearest thing around it begins. */
export const offsetOf = (root: unknown, { path, offset }: Finding, text: string): number | undefined => {
  const { node, key } = nearest(root, path)
  if (offset !== undefined && isScalar(node)) return within(node, offset, text)
  return (key ?? node)?.range?.[0]
}

/** How far into the text an offset in a string is: known as long as nothing before it is written otherwise. */
const within = (node: Scalar, offset: number, text: string): number | undefined => {
  const [start] = node.range ?? [0]
  const quote = text[start] === '"' || text[start] === "'" ? 1 : 0
  const before = String(node.value).slice(0, offset)
  return text.startsWith(before, start + quote) ? start + quote + offset : start
}

/** The node of a path, or the last one on the way to it; a field is shown by its key. */
const nearest = (root: unknown, path: Path): { node: Node | undefined; key?: Node } => {
  let node = root as (Node & { get?: (key: unknown, keep: true) => unknown; items?: unknown[] }) | undefined
  let key: Node | undefined
  for (const step of path) {
    const next = node?.get?.(step, true) as typeof node
    if (next === undefined || next === null) return { node, key }
    key = keyNode(node as YAMLMap, step)
    node = next
  }
  return { node, key }
}

const keyNode = (node: YAMLMap, key: string | number): Node | undefined => {
  const pair = node.items.find((item) => (item as Pair).key !== undefined && String((item as Pair).key) === key)
  return (pair as Pair | undefined)?.key as Node | undefined
}
