import type { Step } from '#shared/contracts/workflows/definition.ts'
import { blockVariable, hasTries, outlives, tryVariable } from '../steps.ts'
import type { AslBlock, AslState, Values } from './asl.ts'
import { commandTo, defined, sendSeconds } from './command.ts'
import type { BlockPlace, Compiled, Context } from './context.ts'
import { wrap } from './expression.ts'

const blockCode = ({ name }: Step): string => wrap(`$${blockVariable(name)}`)

/** Where the steps of a block stand. */
export const inside = (step: Step, context: Context): Context => {
  if (!outlives(step)) return context
  const place = defined({
    block: blockCode(step),
    try: hasTries(step) ? wrap(`$${tryVariable(step.name)}`) : undefined,
  }) as BlockPlace
  return { ...context, within: [...context.within, place] }
}

/** The block with an identity of this time that it runs: another one for each item and each round. */
export const identified = (step: Step, compiled: Compiled): Compiled => {
  if (!outlives(step)) return compiled
  const begin = `${step.name}: begin`
  const Assign = { [blockVariable(step.name)]: '{% $uuid() %}' }
  return {
    start: begin,
    states: { [begin]: { Type: 'Pass', Assign, Next: compiled.start }, ...compiled.states },
  }
}

const abandonCommand = (step: Step, context: Context, more: Values): AslState => ({
  Type: 'Task',
  ...commandTo({ kind: 'abandon', name: step.name, block: blockCode(step), ...more }, false, context),
  TimeoutSeconds: sendSeconds,
})

/** Tells the product that nothing waits any more for what this time of a block has begun. */
export const abandon = (step: Step, context: Context): AslState => abandonCommand(step, context, {})

/** The block of a step that is tried again: each try says when it began, and that earlier ones are over. */
export const eachTry = (step: Step, block: AslBlock, context: Context): AslBlock => {
  if (!hasTries(step)) return block
  const first = `${step.name}: try`
  const entered = '{% $states.context.State.EnteredTime %}'
  const state: AslState = {
    ...abandonCommand(step, context, { before: entered }),
    Assign: { [tryVariable(step.name)]: entered },
    Next: block.StartAt,
  }
  return { StartAt: first, States: { [first]: state, ...block.States } }
}
