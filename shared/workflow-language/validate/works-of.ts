import type { Definition, Step, Work } from '#shared/contracts/workflows/definition.ts'
import { isExpression } from '../expressions/parse-expression.ts'
import type { Path } from '../problem.ts'
import { everyStep } from '../steps.ts'

export type PlacedWork = { work: Work; path: Path }

/** What agents do for a step, each with its place: a task, or the voters of a vote. */
export const worksIn = (step: Step, path: Path): PlacedWork[] => {
  if (step.kind === 'task') return [{ work: step, path }]
  if (step.kind !== 'vote') return []
  return step.voters.map((work, at) => ({ work, path: [...path, 'voters', at] }))
}

/** The same of a definition. */
export const worksOf = ({ steps }: Definition): PlacedWork[] =>
  everyStep(steps).flatMap(({ step, path }) => worksIn(step, path))

export type PlacedName = { name: string; path: Path }

/** Who messages and requests are for, where that is no expression. */
export const recipientsOf = ({ steps }: Definition, kind: 'agent' | 'capability' | 'queue'): PlacedName[] =>
  everyStep(steps).flatMap(({ step, path }) => {
    if (step.kind !== 'message' && step.kind !== 'request') return []
    const name = (step.to as Partial<Record<typeof kind, string>> | undefined)?.[kind]
    return name === undefined || isExpression(name) ? [] : [{ name, path: [...path, 'to', kind] }]
  })
