import type { Step } from '#shared/contracts/workflows/definition.ts'
import { tookLonger, toSeconds } from '#shared/contracts/workflows/values.ts'
import { hasTries, innerVariable, type TimedStep, timedRace, timerName, timerVariable } from '../steps.ts'
import { aroundResult } from './around.ts'
import type { AslBlock, AslState } from './asl.ts'
import { eachTry, inside } from './block-time.ts'
import { commandTo, sendSeconds } from './command.ts'
import type { CompileSteps } from './compile-steps.ts'
import type { Compiled, Context } from './context.ts'
import { finished } from './finished.ts'

type Compile = (step: Step, context: Context) => Compiled

/**
 * A block that has a time for the whole of it: its work beside a timer, since neither Parallel nor Map have a time of their
 * own. Work that ends in time ends the timer by the product; a timer that ends first fails both.
 */
export const compileTimed = (
  step: TimedStep,
  context: Context,
  compileSteps: CompileSteps,
  compile: Compile,
): Compiled => {
  const seconds = toSeconds(step.timeout)
  const place = { ...inside(step, context), next: undefined, also: [], legs: undefined }
  const work: AslState = {
    Type: 'Parallel',
    Arguments: { timer: '{% $uuid() %}' },
    Branches: [workOf(step.name, compile(aloneOf(step), place), place), timerOf(step.name, seconds, place)],
  }
  const { fields, states } = finished(step, aroundResult, context, compileSteps)
  const { start, state } = inTries(step, work, context)
  return { start, states: { [start]: { ...state, ...fields }, ...states } }
}

/** The block without what is said of the whole of it. */
const aloneOf = (step: TimedStep): Step => {
  const name = step.kind === 'race' ? timedRace(step.name) : step.name
  return { ...step, name, retry: undefined, catch: undefined, timeout: undefined } as Step
}

/** The state that stands for the step: the work beside its timer, or the tries of that. */
const inTries = (step: TimedStep, work: AslState, context: Context): { start: string; state: AslState } => {
  const timed = `${step.name}: timed`
  if (!hasTries(step)) return { start: timed, state: work }
  const block: AslBlock = { StartAt: timed, States: { [timed]: { ...work, Output: aroundResult, End: true } } }
  return { start: `${step.name}: tries`, state: { Type: 'Parallel', Branches: [eachTry(step, block, context)] } }
}

/** The work, whose end is told. What the step answers is the variable of the states around it alone. */
const workOf = (name: string, { start, states }: Compiled, context: Context): AslBlock => {
  const [begun, inTime] = [`${name}: begun`, `${name}: in time`]
  const own = Object.fromEntries(
    Object.entries(states).map(([key, state]) => [key, onward(withoutVariable(state, name), inTime)]),
  )
  return {
    StartAt: begun,
    States: {
      [begun]: { Type: 'Pass', Assign: { [timerVariable(name)]: '{% $states.input.timer %}' }, Next: start },
      ...own,
      [inTime]: {
        Type: 'Task',
        ...commandTo({ kind: 'endTimer', name, timer: `{% $${timerVariable(name)} %}` }, false, context),
        TimeoutSeconds: sendSeconds,
        Output: '{% $states.input %}',
        End: true,
      },
    },
  }
}

const onward = ({ End, ...state }: AslState, next: string): AslState => (End ? { ...state, Next: next } : { ...state })

/** A variable has one scope: inside of the block another one stands for it. */
const withoutVariable = (state: AslState, name: string): AslState => {
  const inner = innerVariable(name)
  const renamed = (assigned: unknown) =>
    Object.fromEntries(Object.entries(assigned as object).map(([key, value]) => [key === name ? inner : key, value]))
  const { Assign, Choices, Output } = state as { Assign?: object; Choices?: { Assign?: object }[]; Output?: unknown }
  return {
    ...state,
    ...(Assign && { Assign: renamed(Assign) }),
    ...(Choices && { Choices: Choices.map((one) => (one.Assign ? { ...one, Assign: renamed(one.Assign) } : one)) }),
    ...(Output === `{% $${name} %}` && { Output: `{% $${inner} %}` }),
  }
}

const timerOf = (name: string, seconds: number, context: Context): AslBlock => {
  const [timer, over] = [timerName(name), `${name}: time is over`]
  return {
    StartAt: timer,
    States: {
      [timer]: {
        Type: 'Task',
        ...commandTo({ kind: 'timer', name: timer, timer: '{% $states.input.timer %}' }, true, context),
        TimeoutSeconds: seconds,
        Catch: [{ ErrorEquals: ['States.Timeout'], Next: over }],
        End: true,
      },
      [over]: { Type: 'Fail', Error: 'TIMEOUT', Cause: tookLonger(name, seconds) },
    },
  }
}
