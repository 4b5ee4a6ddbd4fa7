import type { MapStep, ParallelStep, Step, TaskStep } from '#shared/contracts/workflows/definition.ts'
import { toSeconds } from '#shared/contracts/workflows/values.ts'
import { isUnknownMap } from '../events.ts'
import { textsOf } from '../expressions/every-expression.ts'
import { parseExpression } from '../expressions/parse-expression.ts'
import { everyStep, hasTries } from '../steps.ts'
import { around, aroundResult } from './around.ts'
import type { AslBlock, AslState, Values } from './asl.ts'
import { inside } from './block-time.ts'
import { commandTo, defaultStepSeconds, defined } from './command.ts'
import type { CompileSteps } from './compile-steps.ts'
import type { Compiled, Context } from './context.ts'
import { asOutput, type Bindings, bind, listCode, toCode, wrap } from './expression.ts'
import { finished } from './finished.ts'
import { legItems } from './legs.ts'
import { workOf } from './product-step.ts'

export const toBlock = ({ start, states }: Compiled): AslBlock => ({ StartAt: start, States: states })

/** Steps of a block, with variables of their own. */
export const compileInner = (of: Step, steps: Step[], context: Context, compileSteps: CompileSteps): AslBlock =>
  toBlock(compileSteps(steps, { ...inside(of, context), next: undefined, also: [], legs: undefined }))

const resultOf = (step: { output?: unknown }, result: string, bindings: Bindings): unknown =>
  step.output === undefined ? wrap(result) : bind(step.output, bindings)

/** The state that does the work of a block: what stands for the step, or in each of its tries. */
const blockOf = (
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
  const branches = Object.values(step.branches).map((steps) => compileInner(step, steps, context, compileSteps))
  return blockOf(step, { Type: 'Parallel', Branches: branches }, output, context, compileSteps)
}

const itemBindings: Bindings = { item: '$states.context.Map.Item.Value', index: '$states.context.Map.Item.Index' }

/** The outputs of its steps for each item, in the order of the items. */
export const compileMap = (step: MapStep, context: Context, compileSteps: CompileSteps): Compiled => {
  if (step.distributed) return compileBatch(step, context, compileSteps)
  const { name, items = [], concurrency = 40 } = step
  const work: AslState = {
    Type: 'Map',
    Items: Array.isArray(items) ? bind(items, context.bindings) : wrap(listCode(items, context.bindings)),
    MaxConcurrency: concurrency,
    ItemProcessor: { ProcessorConfig: { Mode: 'INLINE' }, ...eachItem(step, context, compileSteps) },
  }
  const compiled = blockOf(step, work, resultOf(step, '$states.result', context.bindings), context, compileSteps)
  if (context.legs === undefined || !isUnknownMap(step)) return compiled
  return {
    ...compiled,
    states: { ...compiled.states, [name]: counting(compiled.states[name], legItems(step, context)) },
  }
}

/** Counts on each of the ways that a state has. */
const counting = (state: AslState | undefined, counted: Values): AslState => {
  const { Catch = [] } = state as { Catch?: { Assign?: Values }[] }
  const caught = Catch.map((one) => ({ ...one, Assign: { ...one.Assign, ...counted } }))
  return {
    ...(state as AslState),
    Assign: { ...(state?.Assign as Values), ...counted },
    ...(caught.length > 0 && { Catch: caught }),
  }
}

/** The context object knows the item of the innermost map alone: one that an inner map looks at becomes a variable. */
const eachItem = (step: MapStep, context: Context, compileSteps: CompileSteps): AslBlock => {
  const { as = 'item', steps } = step
  const { item = '', index = '' } = itemBindings
  const inner: Context = { ...context, inMap: true, bindings: { ...context.bindings, [as]: item, index } }
  if (!lookedAtInside(as, steps)) return compileInner(step, steps, inner, compileSteps)
  const { [as]: _, ...bindings } = inner.bindings
  const block = compileInner(step, steps, { ...inner, bindings }, compileSteps)
  const keep = `${step.name}: item`
  const kept: AslState = { Type: 'Pass', Assign: { [as]: wrap(item) }, Next: block.StartAt }
  return { StartAt: keep, States: { [keep]: kept, ...block.States } }
}

const lookedAtInside = (as: string, steps: Step[]): boolean =>
  everyStep(steps).some(
    ({ step }) => step.kind === 'map' && everyStep(step.steps).some((inner) => looksAt(inner.step, as)),
  )

const looksAt = (step: Step, name: string): boolean => {
  const { before, after } = textsOf(step)
  return [...before, ...after].some(({ text }) => {
    const parsed = parseExpression(text)
    return 'references' in parsed && parsed.references.some((reference) => reference.name === name)
  })
}

/** A task for each item as one batch of the product. */
const compileBatch = (step: MapStep, context: Context, compileSteps: CompileSteps): Compiled => {
  const { name, description, concurrency, timeout, toleratedFailurePercentage } = step
  const task = step.steps[0] as TaskStep
  const seconds = timeout === undefined ? defaultStepSeconds : toSeconds(timeout)
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
