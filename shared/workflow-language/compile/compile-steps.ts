import type { Step, StepKind } from '#shared/contracts/workflows/definition.ts'
import { isTimed } from '../steps.ts'
import { compileParallel } from './block-steps.ts'
import { identified } from './block-time.ts'
import type { Compiled, Context } from './context.ts'
import { compileChoice, compileFail, compileRepeat, compileSet, compileWait } from './flow-steps.ts'
import { compileMap } from './map-steps.ts'
import { compileWaiting } from './product-step.ts'
import { compileRace, compileVote } from './rival-steps.ts'
import { compileTimed } from './timed-steps.ts'

export type CompileSteps = (steps: Step[], context: Context) => Compiled

type Compile<K extends StepKind> = (step: Extract<Step, { kind: K }>, context: Context, steps: CompileSteps) => Compiled

const compilers: { [K in StepKind]: Compile<K> } = {
  task: compileWaiting,
  approval: compileWaiting,
  waitForEvent: compileWaiting,
  subWorkflow: compileWaiting,
  state: compileWaiting,
  message: compileWaiting,
  request: compileWaiting,
  parallel: compileParallel,
  map: compileMap,
  choice: compileChoice,
  repeat: compileRepeat,
  wait: compileWait,
  set: compileSet,
  fail: compileFail,
  race: compileRace,
  vote: compileVote,
}

/** Steps one after the other; only the last one answers for its block. */
export const compileSteps: CompileSteps = (steps, context) => {
  const fromTheLast: Compiled[] = []
  for (const step of steps.toReversed()) {
    const after = fromTheLast.at(-1)
    fromTheLast.push(compileStep(step, after ? { ...context, next: after.start, also: [] } : context))
  }
  const first = fromTheLast.at(-1)
  if (first === undefined) throw new Error('a block has at least one step')
  return { start: first.start, states: Object.assign({}, ...fromTheLast.reverse().map(({ states }) => states)) }
}

const compileStep = (step: Step, context: Context): Compiled => {
  const compile = compilers[step.kind] as (step: Step, context: Context, steps: CompileSteps) => Compiled
  const plain = (one: Step, place: Context): Compiled => identified(one, compile(one, place, compileSteps))
  return isTimed(step) ? identified(step, compileTimed(step, context, compileSteps, plain)) : plain(step, context)
}
