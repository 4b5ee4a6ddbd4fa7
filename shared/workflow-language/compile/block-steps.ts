import type { MapStep, ParallelStep, Step } from '#shared/contracts/workflows/definition.ts'
import { hasTries } from '../steps.ts'
import { around, aroundResult } from './around.ts'
import type { AslBlock, AslState } from './asl.ts'
import { inside } from './block-time.ts'
import type { CompileSteps } from './compile-steps.ts'
import type { Compiled, Context } from './context.ts'
import { asOutput, type Bindings, bind, wrap } from './expression.ts'
import { finished } from './finished.ts'
import { joinedIn } from './joined.ts'

export const toBlock = ({ start, states }: Compiled): AslBlock => ({ StartAt: start, States: states })

/** Steps of a block, with variables of their own. */
export const compileInner = (of: Step, steps: Step[], context: Context, compileSteps: CompileSteps): AslBlock =>
  toBlock(compileSteps(steps, { ...inside(of, context), next: undefined, also: [], legs: undefined }))

/** The output that a step names, or the result as it is. */
export const resultOf = (step: { output?: unknown }, result: string, bindings: Bindings): unknown =>
  step.output === undefined ? wrap(result) : bind(step.output, bindings)

/** The state that does the work of a block: what stands for the step, or in each of its tries. */
export const blockOf = (
  step: ParallelStep | MapStep,
  work: AslState,
  output: unknown,
  context: Context,
  compileSteps: CompileSteps,
): Compiled => {
  const { name, description } = step
  if (hasTries(step)) {
    const inner = `${name}: work`
    const block = { StartAt: inner, States: { [inner]: { ...work, Output: asOutput(output), End: true as const } } }
    return around(step, block, aroundResult, context, compileSteps)
  }
  const { fields, states } = finished(step, output, context, compileSteps)
  const { Type, ...rest } = work
  const state: AslState = { Type, ...(description !== undefined && { Comment: description }), ...rest, ...fields }
  return { start: name, states: { [name]: state, ...states } }
}

/** The outputs of its branches by their names. */
export const compileParallel = (step: ParallelStep, context: Context, compileSteps: CompileSteps): Compiled => {
  const byName = Object.keys(step.branches).map((one, at) => `"${one}": $states.result[${at}]`)
  const output = resultOf(step, `{${byName.join(', ')}}`, context.bindings)
  const all = Object.values(step.branches)
  const place = { ...context, joined: joinedIn(step, all, 1, inside(step, context)) }
  const branches = all.map((steps) => compileInner(step, steps, place, compileSteps))
  return blockOf(step, { Type: 'Parallel', Branches: branches }, output, context, compileSteps)
}
