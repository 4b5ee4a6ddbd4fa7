import { type Document, isScalar, visit, type YAMLParseError } from 'yaml'

/** What cannot be read, and where in the text that is. */
export type Wrong = { message: string; pos: [number, ...number[]] }

/** What the library says to whoever writes programs. */
export const inOwnWords = ({ code, message, pos }: YAMLParseError): Wrong =>
  code === 'MULTIPLE_DOCS' ? { message: 'a second document begins here; a definition is one', pos } : { message, pos }

/** References to what was not named before, and keys that YAML 1.2 does not have. */
export const wrongIn = (document: Document.Parsed): Wrong[] => {
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

/** The value of a document; what aliases multiply is told by the place of the last. */
export const readValue = (document: Document.Parsed): { value: unknown } | { wrong: Wrong[] } => {
  try {
    return { value: document.toJS({ maxAliasCount }) }
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error
    const places: number[] = []
    visit(document, { Alias: (_, { range }) => void places.push(range?.[0] ?? 0) })
    const message = `an alias here, with those in it, is used more than ${maxAliasCount} times; write it out`
    return { wrong: [{ message, pos: [places.at(-1) ?? 0] }] }
  }
}
