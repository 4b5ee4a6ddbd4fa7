import type { Definition, Step } from '#shared/contracts/workflows/definition.ts'
import { blocksOf, compensatedSteps, waits } from '../steps.ts'
import { type CompileOptions, compileMachines } from './compile.ts'
import { planLegs } from './legs.ts'

type OutlineStep = { name: string; kind: string; in?: string }

const kindOf = (step: Step): string =>
  step.kind === 'map' && step.distributed ? (step.itemsFrom === undefined ? 'batch' : 'rows') : step.kind

/** Every step but those that undo, with the one that it is a part of; what a distributed map does for each item is in its own. */
const outlineOf = (steps: Step[], place?: string): OutlineStep[] =>
  steps.flatMap((step) => [
    { name: step.name, kind: kindOf(step), ...(place !== undefined && { in: place }) },
    ...(step.kind === 'vote' ? step.voters : []).map((_, at) => ({
      name: `${step.name}_${at + 1}`,
      kind: 'task',
      in: step.name,
    })),
    ...blocksOf(step).flatMap(({ role, steps: inner }) => {
      if (role === 'catch') return outlineOf(inner, place)
      return role === 'compensate' || waits(step) ? [] : outlineOf(inner, step.name)
    }),
  ])

/** A definition compiled, with what runs of it have to know. */
export const compileWorkflow = (definition: Definition, { legEvents }: CompileOptions = {}) => {
  const legs = planLegs(definition, legEvents)
  const compensated = compensatedSteps(definition)
  return {
    machines: compileMachines(definition, legs),
    ...(legs && { legs: true as const }),
    steps: outlineOf(definition.steps),
    undone: compensated.map(({ name }) => name),
    ...(compensated.length > 0 && { undoing: compensated.flatMap(({ compensate }) => outlineOf(compensate)) }),
    ...(definition.input && { input: definition.input }),
  }
}
