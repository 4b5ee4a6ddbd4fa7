import type { Definition, Step, Work } from '#shared/contracts/workflows/definition.ts'
import type { Path } from '../problem.ts'
import { everyStep } from '../steps.ts'

export type PlacedWork = { work: Work; path: Path; step: Step }

/** What agents do in a definition, each with its place: tasks, and the voters of votes. */
export const worksOf = (definition: Definition): PlacedWork[] =>
  everyStep(definition.steps).flatMap(({ step, path }): PlacedWork[] => {
    if (step.kind === 'task') return [{ work: step, path, step }]
    if (step.kind !== 'vote') return []
    return step.voters.map((work, at) => ({ work, path: [...path, 'voters', at], step }))
  })
