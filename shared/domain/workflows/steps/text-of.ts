import { invalid } from '../../domain-error.ts'

/** A field of a step as text: an expression may have given something that is none. */
export const textOf = (value: unknown, pointer: string): string => {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw invalid(pointer, 'INVALID', `expected text, received ${JSON.stringify(value)?.slice(0, 200)}`)
}
