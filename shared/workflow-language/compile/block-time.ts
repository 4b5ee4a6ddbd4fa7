import type { Step } from '#shared/contracts/workflows/definition.ts'
import { blockVariable, outlives } from '../steps.ts'
import type { AslState } from './asl.ts'
import { commandTo, sendSeconds } from './command.ts'
import type { Compiled, Context } from './context.ts'
import { wrap } from './expression.ts'

const blockCode = ({ name }: Step): string => wrap(`$${blockVariable(name)}`)

/** Where the steps of a block stand. */
export const inside = (step: Step, context: Context): Context => {
  if (!outlives(step)) return context
  return { ...context, within: [...context.within, { block: blockCode(step) }] }
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

/** Tells the product that nothing waits any more for what this time of a block has begun. */
export const abandon = (step: Step, context: Context): AslState => ({
  Type: 'Task',
  ...commandTo({ kind: 'abandon', name: step.name, block: blockCode(step) }, false, context),
  TimeoutSeconds: sendSeconds,
})
