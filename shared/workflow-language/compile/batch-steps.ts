import type { MapStep, TaskStep } from '#shared/contracts/workflows/definition.ts'
import type { AslState, Values } from './asl.ts'
import { resultOf } from './block-steps.ts'
import { commandTo, defined, waitSeconds } from './command.ts'
import type { CompileSteps } from './compile-steps.ts'
import type { Compiled, Context } from './context.ts'
import { type Bindings, bind, listCode, toCode, wrap } from './expression.ts'
import { finished } from './finished.ts'
import { workOf } from './product-step.ts'

/** A task for each item as one batch of the product. */
export const compileBatch = (step: MapStep, context: Context, compileSteps: CompileSteps): Compiled => {
  const { name, description, concurrency, toleratedFailurePercentage } = step
  const task = step.steps[0] as TaskStep
  const seconds = waitSeconds(step)
  const { input: _, ...work } = workOf(task) as Values
  const { bindings } = context
  const byReference = step.itemsFrom !== undefined
  const command = defined({
    kind: byReference ? 'rows' : 'batch',
    name,
    ...(byReference ? { object: bind(step.itemsFrom, bindings) } : { items: rowsOf(step, task, bindings) }),
    task: bind({ name: task.name, ...work }, bindings),
    maxInFlight: concurrency,
    toleratedFailurePercentage,
    timeoutSeconds: seconds,
  })
  const { fields, states } = finished(step, resultOf(step, '$states.result', bindings), context, compileSteps)
  const state: AslState = {
    Type: 'Task',
    ...(description !== undefined && { Comment: description }),
    ...commandTo(command, true, context),
    TimeoutSeconds: seconds,
    ...fields,
  }
  return { start: name, states: { [name]: state, ...states } }
}

/** The items as they are, or the input that its task makes of each. */
const rowsOf = ({ items, as = 'item' }: MapStep, { input }: TaskStep, bindings: Bindings): unknown => {
  if (input === undefined) return bind(items, bindings)
  const { [as]: _item, index: _index, ...outer } = bindings
  return wrap(`[$map(${listCode(items, bindings)}, function($${as}, $index) { ${toCode(input, outer)} })[]]`)
}
