import {
  type Document,
  isScalar,
  LineCounter,
  type Pair,
  parseDocument,
  type Scalar,
  visit,
  type YAMLMap,
  type YAMLParseError,
} from 'yaml'
import { type Finding, failing, type Path, type Problem, toPointer } from '../problem.ts'

/** The most that a definition may have. */
export const maxSourceBytes = 256 * 1024

export type Source = {
  value: unknown
  /** The finding with its line and column. */
  locate(finding: Finding): Problem
}

const withoutPlace = ({ path, offset: _, ...finding }: Finding): Problem => ({ ...finding, pointer: toPointer(path) })

/** A definition that came as a value and has no text. */
export const sourceOf = (value: unknown): Source => ({ value, locate: withoutPlace })

/** YAML 1.2 or JSON; what cannot be read is told with its place. */
export const readSource = (text: string): { source: Source; problems: Problem[] } => {
  if (Buffer.byteLength(text) > maxSourceBytes)
    return unreadable([withoutPlace(failing('TOO_LARGE', [], `a definition may have ${maxSourceBytes / 1024} KiB`))])
  try {
    return parse(text)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return unreadable([withoutPlace(failing('SYNTAX', [], `it cannot be read: ${message}`))])
  }
}

const unreadable = (problems: Problem[]) => ({ source: sourceOf(undefined), problems })

const parse = (text: string): { source: Source; problems: Problem[] } => {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const wrong = [...document.errors.map(inOwnWords), ...document.warnings, ...wrongIn(document)]
  const read = wrong.length > 0 ? { wrong } : readValue(document)
  if ('wrong' in read) {
    const toProblem = ({ message, pos: [at] }: Wrong) => ({
      ...withoutPlace(failing('SYNTAX', [], message)),
      ...placeAt(lines, at),
    })
    return unreadable(read.wrong.map(toProblem))
  }
  const locate = (finding: Finding): Problem => {
    const at = offsetOf(document.contents, finding, text)
    return { ...withoutPlace(finding), ...(at !== undefined && placeAt(lines, at)) }
  }
  return { source: { value: read.value, locate }, problems: [] }
}

type Wrong = { message: string; pos: [number, ...number[]] }

/** What the library says to whoever writes programs. */
const inOwnWords = ({ code, message, pos }: YAMLParseError): Wrong =>
  code === 'MULTIPLE_DOCS' ? { message: 'a second document begins here; a definition is one', pos } : { message, pos }

/** References to what was not named before, and keys that YAML 1.2 does not have. */
const wrongIn = (document: Document.Parsed): Wrong[] => {
  const found: Wrong[] = []
  const named = new Set<string>()
  visit(document, {
    Alias(_, { source, range }) {
      if (!named.has(source)) found.push({ message: `nothing before it is named &${source}`, pos: [range?.[0] ?? 0] })
    },
    Value(_, { anchor }) {
      if (anchor !== undefined) named.add(anchor)
    },
    Pair(_, { key }) {
      if (isScalar(key) && key.value === '<<' && key.type === 'PLAIN')
        found.push({ message: 'merge keys (<<) are not taken; write the fields out', pos: [key.range?.[0] ?? 0] })
    },
  })
  return found
}

/** So often may what an alias stands for be looked at, with the aliases in it. */
const maxAliasCount = 100

/** The value of a document; aliases of aliases that stand for more than anybody writes are told by the place of the last. */
const readValue = (document: Document.Parsed): { value: unknown } | { wrong: Wrong[] } => {
  try {
    return { value: document.toJS({ maxAliasCount }) }
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error
    const places: number[] = []
    visit(document, { Alias: (_, { range }) => void places.push(range?.[0] ?? 0) })
    const message = 'aliases of aliases stand for too much here; write some of it out'
    return { wrong: [{ message, pos: [places.at(-1) ?? 0] }] }
  }
}

const placeAt = (lines: LineCounter, offset: number): { line: number; column: number } => {
  const { line, col } = lines.linePos(offset)
  return { line, column: col }
}

type Node = { range?: [number, number, number] | null }

/** Where a value begins; of one that is not there, where the nearest thing around it begins. */
const offsetOf = (root: unknown, { path, offset }: Finding, text: string): number | undefined => {
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
