import type { Text } from '../expressions/every-expression.ts'
import { knownFunctions } from '../expressions/functions.ts'
import type { Finding, Path } from '../problem.ts'
import { checkExpression, deadReference } from './check-references.ts'
import { type LeftOut, namesIn } from './leave-out.ts'

/** Variables that some expressions have, besides those of steps. */
const somewhere = ['input', 'run', 'item', 'index', 'output', 'error', 'states']

/**
 * The expressions of what is no part of a definition: what does not parse, and variables that nothing in all of `value` may
 * have named. Which of them are seen at a place is not known there.
 */
export const checkLeftOut = (value: unknown, leftOut: LeftOut[]): Finding[] => {
  if (leftOut.length === 0) return []
  const names = namesIn(value).flatMap((name) => [name, `${name}Error`])
  const visible = new Set([...somewhere, ...names])
  return leftOut.flatMap((part) =>
    textsIn(part.value, part.path).flatMap((text) =>
      checkExpression(text, (reference) =>
        [knownFunctions, visible].some((known) => known.has(reference.name))
          ? []
          : [deadReference(reference, text.path, { visible, everywhere: new Map() })],
      ),
    ),
  )
}

type Fields = Record<string, unknown>

/** What is written for readers or for JSON Schema: of a step, and of the definition itself. */
const isProse = (key: string, fields: Fields, path: Path): boolean =>
  path.length === 0 ? ['description', 'input'].includes(key) : key === 'description' && 'kind' in fields

const textsIn = (value: unknown, path: Path): Text[] => {
  if (typeof value === 'string') return [{ text: value, path }]
  if (Array.isArray(value)) return value.flatMap((one, at) => textsIn(one, [...path, at]))
  if (value === null || typeof value !== 'object') return []
  return Object.entries(value)
    .filter(([key]) => !isProse(key, value as Fields, path))
    .flatMap(([key, one]) => textsIn(one, [...path, key]))
}
