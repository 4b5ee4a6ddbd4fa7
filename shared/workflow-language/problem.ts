/** A place in a definition: keys and positions from its root. */
export type Path = readonly (string | number)[]

/** What is wrong with a definition, before it is known where in the text that stands. */
export type Finding = {
  severity: 'error' | 'warning'
  code: ProblemCode
  message: string
  path: Path
  /** Where in the value, when that is a string. */
  offset?: number
}

/** The same with its place; lines and columns count from 1. */
export type Problem = Omit<Finding, 'path' | 'offset'> & { pointer: string; line?: number; column?: number }

export type ProblemCode =
  | 'SYNTAX'
  | 'TOO_LARGE'
  | 'TOO_DEEP'
  | 'SCHEMA'
  | 'DUPLICATE_NAME'
  | 'RESERVED_NAME'
  | 'EXPRESSION'
  | 'DEAD_REFERENCE'
  | 'UNREACHABLE'
  | 'ENDLESS'
  | 'TOO_LONG'
  | 'NOT_HERE'
  | 'UNKNOWN_AGENT'
  | 'UNKNOWN_CAPABILITY'
  | 'UNKNOWN_QUEUE'
  | 'UNKNOWN_WORKFLOW'
  | 'UNKNOWN_VERSION'
  | 'SCHEMA_MISMATCH'

export const failing = (code: ProblemCode, path: Path, message: string, offset?: number): Finding => ({
  severity: 'error',
  code,
  message,
  path,
  ...(offset !== undefined && { offset }),
})

export const warning = (code: ProblemCode, path: Path, message: string): Finding => ({
  severity: 'warning',
  code,
  message,
  path,
})

/** As RFC 6901 in a URI fragment, the way the API names fields. */
export const toPointer = (path: Path): string =>
  ['#', ...path.map((key) => String(key).replaceAll('~', '~0').replaceAll('/', '~1'))].join('/')

/** The keys of a pointer, whatever is before its first slash. */
export const keysOf = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
