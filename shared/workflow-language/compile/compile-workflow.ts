import type { Definition } from '#shared/contracts/workflows/definition.ts'
import { compensatedSteps, everyStep, waits } from '../steps.ts'
import { type CompileOptions, compileMachines } from './compile.ts'
import { planLegs } from './legs.ts'

/** What a distributed map does for each item is in its own step. */
const inRows = ({ steps }: Definition): Set<string> =>
  new Set(
    everyStep(steps).flatMap(({ step }) =>
      step.kind === 'map' && step.distributed ? step.steps.map(({ name }) => name) : [],
    ),
  )

const stepsIn = (definition: Definition): { name: string; kind: string }[] => {
  const rows = inRows(definition)
  return everyStep(definition.steps).flatMap(({ step, path }) => {
    if (path.includes('compensate') || rows.has(step.name)) return []
    if (step.kind === 'vote') return step.voters.map((_, at) => ({ name: `${step.name}_${at + 1}`, kind: 'task' }))
    if (step.kind === 'map' && step.distributed)
      return [{ name: step.name, kind: step.itemsFrom === undefined ? 'batch' : 'rows' }]
    return waits(step) ? [{ name: step.name, kind: step.kind }] : []
  })
}

/** A definition compiled, with what runs of it have to know. */
export const compileWorkflow = (definition: Definition, { legEvents }: CompileOptions = {}) => {
  const legs = planLegs(definition, legEvents)
  return {
    machines: compileMachines(definition, legs),
    ...(legs && { legs: true as const }),
    steps: stepsIn(definition),
    undone: compensatedSteps(definition).map(({ name }) => name),
    ...(definition.input && { input: definition.input }),
  }
}
