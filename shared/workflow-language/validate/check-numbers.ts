import type { Definition } from '#shared/contracts/workflows/definition.ts'
import { type Finding, failing, type Path } from '../problem.ts'

const most = Number.MAX_SAFE_INTEGER

/** Whole numbers that have more digits than a number keeps. A bound in the schema of the input may. */
export const checkNumbers = ({ input: _, ...definition }: Definition): Finding[] => checkValue(definition, [])

const checkValue = (value: unknown, path: Path): Finding[] => {
  if (typeof value === 'number' && Math.abs(value) > most)
    return [failing('SCHEMA', path, `a whole number beyond ${most} loses digits (it is ${value}): write it as text`)]
  if (value === null || typeof value !== 'object') return []
  return Object.entries(value).flatMap(([key, one]) =>
    checkValue(one, [...path, Array.isArray(value) ? Number(key) : key]),
  )
}
