import type { ChoiceStep, FailStep, RepeatStep, SetStep, WaitStep } from '#shared/contracts/workflows/definition.ts'
import { toSeconds } from '#shared/contracts/workflows/values.ts'
import { flowNames } from '../steps.ts'
import type { AslState } from './asl.ts'
import type { CompileSteps } from './compile-steps.ts'
import { answered, asNull, type Compiled, type Context, onward } from './context.ts'
import { asOutput, bind } from './expression.ts'
import { legLook } from './legs.ts'

const one = (name: string, state: AslState): Compiled => ({ start: name, states: { [name]: state } })
const commentOf = ({ description }: { description?: string }) =>
  description === undefined ? {} : { Comment: description }

export const compileSet = (step: SetStep, context: Context): Compiled =>
  one(step.name, {
    Type: 'Pass',
    ...commentOf(step),
    ...answered(step.name, bind(step.value, context.bindings), context),
    ...onward(context),
  })

export const compileWait = (step: WaitStep, context: Context): Compiled =>
  one(step.name, {
    Type: 'Wait',
    ...commentOf(step),
    ...(step.for === undefined ? { Timestamp: bind(step.until, context.bindings) } : { Seconds: toSeconds(step.for) }),
    ...answered(step.name, null, context),
    ...onward(context),
  })

export const compileFail = (step: FailStep, { bindings }: Context): Compiled =>
  one(step.name, {
    Type: 'Fail',
    ...commentOf(step),
    Error: bind(step.error, bindings),
    ...(step.cause !== undefined && { Cause: bind(step.cause, bindings) }),
  })

/** A last state where a choice would be the last, which it cannot be. */
const after = (name: string, { next }: Context, output: unknown): Compiled =>
  next === undefined ? one(name, { Type: 'Pass', Output: asOutput(output), End: true }) : { start: next, states: {} }

/** Cases in their order; the steps of those that are not taken are null. */
export const compileChoice = (step: ChoiceStep, context: Context, compileSteps: CompileSteps): Compiled => {
  const { name, cases, otherwise } = step
  const also = [name, ...context.also]
  const ways = [...cases.map(({ steps }) => steps), otherwise ?? []]
  const others = (taken: number) => asNull(ways.flatMap((steps, at) => (at === taken ? [] : flowNames(steps))))
  const compiled = ways.map((steps) => (steps.length > 0 ? compileSteps(steps, { ...context, also }) : undefined))
  const rest = compiled.at(-1) ?? after(`${name}: otherwise`, context, null)
  const assigned = { ...others(cases.length), ...(otherwise === undefined && asNull(also)) }
  const state: AslState = {
    Type: 'Choice',
    ...commentOf(step),
    Choices: cases.map(({ when }, at) => {
      const Assign = others(at)
      return {
        Condition: bind(when, context.bindings),
        ...(Object.keys(Assign).length > 0 && { Assign }),
        Next: compiled[at]?.start,
      }
    }),
    Default: rest.start,
    ...(Object.keys(assigned).length > 0 && { Assign: assigned }),
  }
  return { start: name, states: Object.assign({ [name]: state }, ...compiled.map((way) => way?.states), rest.states) }
}

/** Its steps, then a look whether that was enough; the variables of the round before are there in the next. */
export const compileRepeat = (step: RepeatStep, context: Context, compileSteps: CompileSteps): Compiled => {
  const { name, until, atMost, steps, onLimit } = step
  const [round, look, done, limit] = [`${name}Round`, `${name}: until`, `${name}: done`, `${name}: limit`]
  const body = compileSteps(steps, { ...context, next: look, also: [], rounds: [...context.rounds, round] })
  const last = `{% $${steps.at(-1)?.name} %}`
  const names = Object.fromEntries([name, ...context.also].map((one) => [one, last]))
  const end = after(done, context, `{% $${name} %}`)
  const leg = legLook(step, context)
  const ended = { ...names, ...leg.Assign }
  const states: Compiled['states'] = {
    [name]: {
      Type: 'Pass',
      ...commentOf(step),
      Assign: { ...asNull(flowNames(steps)), [round]: 1 },
      Next: body.start,
    },
    ...body.states,
    [look]: {
      Type: 'Choice',
      Choices: [
        { Condition: bind(until, context.bindings), Assign: ended, Next: end.start },
        { Condition: `{% $${round} >= ${atMost} %}`, Assign: ended, Next: onLimit === 'fail' ? limit : end.start },
        ...leg.Choices,
      ],
      Default: body.start,
      Assign: { [round]: `{% $${round} + 1 %}`, ...leg.Assign },
    },
    ...(onLimit === 'fail' && {
      [limit]: { Type: 'Fail', Error: 'REPEAT_LIMIT', Cause: `${name} was not done after ${atMost} rounds` },
    }),
    ...end.states,
  }
  return { start: name, states }
}
