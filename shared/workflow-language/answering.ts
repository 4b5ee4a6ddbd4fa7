import type { Step } from '#shared/contracts/workflows/definition.ts'
import { stateResult, usesOf } from './expressions/uses-of.ts'
import { blocksOf } from './steps.ts'
import { hasResult } from './whole-results.ts'

/** The steps whose results are in what blocks answer, how many such results those have at most, and whether some of the steps are blocks. */
export type Answering = { names: ReadonlySet<string>; results: number; nested: boolean }

/** The blocks that a step may answer with the last step of; the rounds of a loop would take more than its last one answers. */
const flowBlocks = (step: Step): Step[][] =>
  blocksOf(step).flatMap(({ role, steps }) =>
    (role === 'flow' && step.kind !== 'repeat') || role === 'catch' ? [steps] : [],
  )
const flowSteps = (steps: Step[]): Step[] =>
  steps.flatMap((step) => [step, ...flowBlocks(step).flatMap((inner) => flowSteps(inner))])

/** The blocks of a step whose answers are its result. */
const joining = (step: Step): Step[][] | undefined =>
  step.kind === 'parallel' || (step.kind === 'map' && !step.distributed)
    ? blocksOf(step).flatMap(({ role, steps }) => (role === 'inner' ? [steps] : []))
    : undefined

const shapeOf = (step: Step): unknown => (step.kind === 'set' ? step.value : 'output' in step ? step.output : undefined)
const handedOn = (shape: unknown): string[] => usesOf(shape).flatMap(({ name, how }) => (how === 'whole' ? [name] : []))

/** Follows what blocks answer back to the results that it comes from: those that are `whole`, which nobody looks into. */
export const answering = (blocks: Step[][], whole: ReadonlySet<string>): Answering => {
  const found = blocks.map((steps) => answeringOf(steps, whole))
  return {
    names: new Set(found.flatMap(({ names }) => [...names])),
    results: found.reduce((sum, { results }) => sum + results, 0),
    nested: found.some(({ nested }) => nested),
  }
}

const answeringOf = (steps: Step[], whole: ReadonlySet<string>): Answering => {
  const byName = new Map(flowSteps(steps).map((step) => [step.name, step]))
  const names = new Set<string>()
  const known = new Map<string, number>()
  let nested = false

  const lastOf = (inner: Step[]): number => resultsOf(inner.at(-1))
  const resultsOf = (step: Step | undefined): number => {
    if (step === undefined) return 0
    const before = known.get(step.name)
    if (before !== undefined) return before
    known.set(step.name, 0) // a loop that looks at its round before
    const results = Math.max(own(step) + others(step), ...flowBlocks(step).map(lastOf))
    known.set(step.name, results)
    return results
  }
  const own = (step: Step): number => {
    const shape = shapeOf(step)
    const times = shape === undefined ? 1 : handedOn(shape).filter((name) => name === stateResult).length
    const inner = joining(step)
    const isJoined = hasResult(step) && whole.has(step.name) && times > 0
    if (!isJoined || (inner !== undefined && answering(inner, whole).results === 0)) return 0
    names.add(step.name)
    nested ||= inner !== undefined
    return times
  }
  const others = (step: Step): number =>
    handedOn(shapeOf(step)).reduce((sum, name) => sum + resultsOf(byName.get(name)), 0)

  return { results: lastOf(steps), names, nested }
}
