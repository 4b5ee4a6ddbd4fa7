import type { Step, StepKind } from '#shared/contracts/workflows/definition.ts'
import { everyText } from './expressions/every-expression.ts'
import { isExpression, parseExpression, type Reference } from './expressions/parse-expression.ts'
import { blocksOf, timedRace } from './steps.ts'

/** The steps whose results are, whole, in what a block answers, and how many such results it has at most. */
export type Answering = { names: ReadonlySet<string>; results: number }

/** What these answer is of the definition, or of the steps in them. */
const ownKinds: StepKind[] = ['choice', 'repeat', 'wait', 'set', 'fail']
const hasResult = (step: Step): boolean =>
  !ownKinds.includes(step.kind) && !(step.kind === 'subWorkflow' && step.wait === false)

/** The blocks that a step may answer with the last step of. */
const flowBlocks = (step: Step): Step[][] =>
  blocksOf(step).flatMap(({ role, steps }) =>
    role === 'flow' || role === 'catch' || (role === 'inner' && step.kind === 'repeat') ? [steps] : [],
  )
const flowSteps = (steps: Step[]): Step[] =>
  steps.flatMap((step) => [step, ...flowBlocks(step).flatMap((inner) => flowSteps(inner))])

/** What the expressions of a value look at, as often as they do. */
const references = (value: unknown): Reference[] =>
  everyText(value).flatMap(({ text }) => {
    const parsed = isExpression(text) ? parseExpression(text) : undefined
    return parsed && 'references' in parsed ? parsed.references : []
  })

/** An expression that looks at fields alone is told what is in them, as ever. */
const isWhole = ({ fields }: Reference): boolean => fields.length === 0
const isResult = ({ name, fields }: Reference): boolean =>
  name === 'states' && fields.length === 1 && fields[0] === 'result'

const shapeOf = (step: Step): unknown => (step.kind === 'set' ? step.value : 'output' in step ? step.output : undefined)

/** Follows what a block answers back to the steps that it comes from. */
export const answering = (steps: Step[]): Answering => {
  const byName = new Map(flowSteps(steps).map((step) => [step.name, step]))
  const names = new Set<string>()
  const known = new Map<string, number>()

  const lastOf = (inner: Step[]): number => resultsOf(inner.at(-1))
  const resultsOf = (step: Step | undefined): number => {
    if (step === undefined) return 0
    const before = known.get(step.name)
    if (before !== undefined) return before
    known.set(step.name, 0) // a loop that looks at its round before
    const results = Math.max(own(step) + looked(step), ...flowBlocks(step).map(lastOf))
    known.set(step.name, results)
    return results
  }
  const own = (step: Step): number => {
    const shape = shapeOf(step)
    const times = shape === undefined ? 1 : references(shape).filter(isResult).length
    if (!hasResult(step) || times === 0) return 0
    names.add(step.name)
    if (step.kind === 'race') names.add(timedRace(step.name))
    return times
  }
  const looked = (step: Step): number =>
    references(shapeOf(step))
      .filter(isWhole)
      .reduce((sum, { name }) => sum + resultsOf(byName.get(name)), 0)

  return { results: lastOf(steps), names }
}
