import type { Step } from '#shared/contracts/workflows/definition.ts'
import type { Path } from '../problem.ts'

/** Fields of a step that hold other steps. */
const blockFields = new Set(['steps', 'branches', 'otherwise', 'catch', 'compensate'])
/** Fields whose expressions look at the result of the step. */
const afterFields = new Set(['output', 'ballot', 'until'])

export type Text = { text: string; path: Path }

/** Every string in a value. */
export const everyText = (value: unknown, path: Path = []): Text[] => {
  if (typeof value === 'string') return [{ text: value, path }]
  if (value === null || typeof value !== 'object') return []
  return Object.entries(value).flatMap(([key, child]) =>
    everyText(child, [...path, Array.isArray(value) ? Number(key) : key]),
  )
}

/** The texts of a step apart from those of the steps in it: what is looked at before its work, and after it. */
export const textsOf = (step: Step): { before: Text[]; after: Text[] } => {
  const own = Object.entries(step).filter(([key]) => !blockFields.has(key) && key !== 'description')
  const isAfter = (key: string): boolean => afterFields.has(key) && !(key === 'until' && step.kind === 'wait')
  const texts = (wanted: boolean): Text[] =>
    own
      .filter(([key]) => isAfter(key) === wanted)
      .flatMap(([key, value]) => everyText(key === 'cases' ? conditionsOf(value) : value, [key]))
  return { before: texts(false), after: texts(true) }
}

const conditionsOf = (cases: unknown): unknown => (cases as { when: string }[]).map(({ when }) => ({ when }))
