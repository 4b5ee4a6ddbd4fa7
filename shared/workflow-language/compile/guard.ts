import type { CatchRule, RetryRule, Step } from '#shared/contracts/workflows/definition.ts'
import { tookLonger } from '#shared/contracts/workflows/values.ts'
import { flowNames, outlives, waits } from '../steps.ts'
import type { AslState } from './asl.ts'
import { abandon } from './block-time.ts'
import { waitSeconds } from './command.ts'
import type { CompileSteps } from './compile-steps.ts'
import { asNull, type Compiled, type Context } from './context.ts'
import { asOutput, wrap } from './expression.ts'

/** Errors by the names that Step Functions gives them, besides our own. */
const alike: Record<string, string[]> = {
  TIMEOUT: ['TIMEOUT', 'States.Timeout'],
  NO_RESPONSE: ['NO_RESPONSE', 'States.Timeout'],
}
const everyError = 'States.ALL'

const namesOf = (errors: string[] | undefined): string[] =>
  errors === undefined ? [everyError] : [...new Set(errors.flatMap((name) => alike[name] ?? [name]))]

const toRetry = ({ errors, attempts = 3, initialSeconds = 1, maxSeconds = 60, factor = 2 }: RetryRule) => ({
  ErrorEquals: namesOf(errors),
  MaxAttempts: attempts - 1,
  IntervalSeconds: initialSeconds,
  MaxDelaySeconds: Math.max(maxSeconds, initialSeconds + 1),
  BackoffRate: factor,
  JitterStrategy: 'FULL',
})

type Guarded = { name: string; retry?: RetryRule | RetryRule[]; catch?: CatchRule[] }
type Guard = { fields: Partial<AslState>; states: Compiled['states'] }

/** What a state does about errors: `Retry`, and `Catch` into the steps that are run instead. */
export const guard = (step: Step, context: Context, compileSteps: CompileSteps): Guard => {
  const { retry, catch: rules = [] } = step as Guarded
  const retries = retry === undefined ? [] : [retry].flat()
  const caught = rules.map((_, at) => catchInto(step, at, context, compileSteps))
  return {
    fields: {
      ...(retries.length > 0 && { Retry: retries.map(toRetry) }),
      ...(caught.length > 0 && { Catch: caught.map(({ entry }) => entry) }),
    },
    states: Object.assign({}, ...caught.map(({ states }) => states)),
  }
}

/** Names of the steps of every rule but one: they are left out. */
const othersOf = (rules: CatchRule[] = [], at?: number): string[] =>
  rules.flatMap(({ steps }, other) => (other === at ? [] : flowNames(steps)))

/** Variables of what is only run when the step fails. */
export const leftOut = (step: Step): string[] => {
  const { name, catch: rules } = step as Guarded
  return rules === undefined ? [] : [`${name}Error`, ...othersOf(rules)]
}

/** Step Functions' own name of a time-out is told as that of tasks, with the cause that it does not tell. */
const errorOf = (step: Step): string => {
  const [code, cause] = ['$states.errorOutput.Error', '$states.errorOutput.Cause']
  const late = waits(step) ? tookLonger(step.name, waitSeconds(step)) : `a step of ${step.name} took longer than it may`
  return wrap(
    `${code} = "States.Timeout" ? {"error": "TIMEOUT", "cause": "${late}"} : {"error": ${code}, "cause": ${cause}}`,
  )
}

const catchInto = (step: Step, at: number, context: Context, compileSteps: CompileSteps) => {
  const { name, catch: rules = [] } = step as Guarded
  const { errors, steps = [] } = rules[at] ?? {}
  const also = [name, ...context.also]
  const inside =
    steps.length > 0 ? compileSteps(steps, { ...context, also }) : ignored(`${name}: ignored ${at + 1}`, context)
  const { start, states } = settled(step, at, inside, context)
  const Assign = {
    [`${name}Error`]: errorOf(step),
    ...asNull(othersOf(rules, at)),
    ...(steps.length === 0 && asNull(also)),
  }
  return { entry: { ErrorEquals: namesOf(errors), Assign, Next: start }, states }
}

const ignored = (name: string, { next }: Context): Compiled =>
  next === undefined
    ? { start: name, states: { [name]: { Type: 'Pass', Output: asOutput(null), End: true } } }
    : { start: next, states: {} }

/** What the other branches of a block that failed had begun is ended first. */
const settled = (step: Step, at: number, instead: Compiled, context: Context): Compiled => {
  if (!outlives(step)) return instead
  const name = `${step.name}: settle ${at + 1}`
  return { start: name, states: { [name]: { ...abandon(step, context), Next: instead.start }, ...instead.states } }
}
