import * as z from 'zod'

export { tookLonger } from '../../domain/workflows/late-step.ts'

/** ASL's variables and JSONata's, so that a step's name is the variable of its output. */
export const stepNameSchema = z
  .string()
  .max(60, 'a name has at most 60 characters')
  .regex(/^[A-Za-z][A-Za-z0-9_]*$/, 'use letters, digits and "_", a letter first: its output is the variable $name')

const unitSeconds: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 }
const yearSeconds = 31_536_000

const secondsOf = (text: string): number => {
  const [, count = '', unit = ''] = /^(\d{1,8})([smhd])$/.exec(text) ?? []
  return count === '' ? Number.NaN : Number(count) * (unitSeconds[unit] ?? Number.NaN)
}

/** A duration in seconds. */
export const toSeconds = (duration: number | string): number =>
  typeof duration === 'number' ? duration : secondsOf(duration)

const durationText = 'expected seconds, or a duration such as 90s, 5m, 2h or 1d, from 1 second to 365 days'

/** From a second to a year. */
export const durationSchema = z.union(
  [
    z.int().min(1).max(yearSeconds),
    z
      .string()
      .regex(/^\d{1,8}[smhd]$/, { error: durationText, abort: true })
      .refine((text) => secondsOf(text) >= 1 && secondsOf(text) <= yearSeconds, durationText),
  ],
  durationText,
)

/** A whole value, from the first character to the last. */
export const expressionPattern = /^\{%([\s\S]*)%\}$/
const expressionText = 'expected an expression: {% … %}'
export const expressionSchema = z.string(expressionText).regex(expressionPattern, expressionText).max(8192)

export const errorNameSchema = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[A-Za-z0-9._:-]+$/, 'use letters, digits, ".", "_", ":" and "-"')

/** Steps by the name of their branch. */
export const maxBranches = 40
