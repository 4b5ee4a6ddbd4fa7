import { LineCounter, parseDocument } from 'yaml'
import { type Finding, failing, type Problem, toPointer } from '../problem.ts'
import { offsetOf, placeAt } from './places.ts'
import { inOwnWords, readValue, type Wrong, wrongIn } from './read-document.ts'

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
