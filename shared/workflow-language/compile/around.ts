import type { Step } from '#shared/contracts/workflows/definition.ts'
import type { AslBlock, AslState } from './asl.ts'
import { eachTry } from './block-time.ts'
import type { CompileSteps } from './compile-steps.ts'
import type { Compiled, Context } from './context.ts'
import { finished } from './finished.ts'

/** What the block around which a state was put has answered. */
export const aroundResult = '{% $states.result[0] %}'

/** One block whose failure is that of the step, so that `retry` and `catch` see it. */
export const around = (
  step: Step,
  block: AslBlock,
  answer: unknown,
  context: Context,
  compileSteps: CompileSteps,
): Compiled => {
  const { name, description } = step
  const { fields, states } = finished(step, answer, context, compileSteps)
  const state: AslState = {
    Type: 'Parallel',
    ...(description !== undefined && { Comment: description }),
    Branches: [eachTry(step, block, context)],
    ...fields,
  }
  return { start: name, states: { [name]: state, ...states } }
}
