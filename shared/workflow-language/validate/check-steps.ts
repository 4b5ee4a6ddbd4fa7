import type { CatchRule, Definition, RetryRule, Step } from '#shared/contracts/workflows/definition.ts'
import { toSeconds } from '#shared/contracts/workflows/values.ts'
import { waitSeconds } from '../compile/command.ts'
import { type Finding, failing, type Path } from '../problem.ts'
import { everyStep } from '../steps.ts'

/** What each field means by itself is right, and together it is not possible. */
export const checkSteps = ({ steps }: Definition): Finding[] =>
  everyStep(steps).flatMap(({ step, path }) => rules.flatMap((rule) => rule(step, path)))

type Rule = (step: Step, path: Path) => Finding[]

const undoKinds = new Set<Step['kind']>(['task', 'message', 'request', 'subWorkflow', 'state', 'wait'])

const mostRequestSeconds = 7 * 86_400

/** Names of errors with their places, rule by rule. */
const errorsOf = (step: Step, field: 'retry' | 'catch', path: Path): { errors?: string[]; path: Path }[] => {
  const given = (step as { retry?: RetryRule | RetryRule[]; catch?: CatchRule[] })[field] ?? []
  if (!Array.isArray(given)) return [{ errors: given.errors, path: [...path, field] }]
  return given.map(({ errors }, at) => ({ errors, path: [...path, field, at] }))
}

const everyError = 'States.ALL'

/** A rule takes what none before it takes; what takes every error stands alone, and is the last one. */
const checkErrors = (ruled: ReturnType<typeof errorsOf>): Finding[] =>
  ruled.flatMap(({ errors, path }, at) => {
    const takesAll = errors === undefined || errors.includes(everyError)
    if (errors && takesAll && errors.length > 1)
      return [failing('NOT_HERE', [...path, 'errors'], `${everyError} is every error: it stands alone`)]
    const next = takesAll ? ruled[at + 1] : undefined
    if (next) return [failing('UNREACHABLE', next.path, 'the rule before takes every error; put it last')]
    const before = new Set(ruled.slice(0, at).flatMap((one) => one.errors ?? []))
    return errors?.every((error) => before.has(error))
      ? [failing('UNREACHABLE', path, `rules before it take ${errors.join(', ')}`)]
      : []
  })

const rules: Rule[] = [
  (step, path) => {
    if (step.kind !== 'map' || step.itemsFrom === undefined) return []
    if (!step.distributed)
      return [
        failing(
          'NOT_HERE',
          [...path, 'itemsFrom'],
          'lines of an object are for distributed maps: add distributed: true',
        ),
      ]
    const [task] = step.steps
    return task?.kind === 'task' && task.input !== undefined
      ? [failing('NOT_HERE', [...path, 'steps', 0, 'input'], 'its input is the line of the object: leave it out')]
      : []
  },
  (step, path) =>
    step.kind === 'request' && step.timeout !== undefined && toSeconds(step.timeout) > mostRequestSeconds
      ? [failing('NOT_HERE', [...path, 'timeout'], 'a request is worth something for 7 days at most')]
      : [],
  (step, path) => {
    if (step.kind !== 'approval' || step.escalate === undefined) return []
    const seconds = waitSeconds(step)
    return toSeconds(step.escalate.after) < seconds
      ? []
      : [failing('NOT_HERE', [...path, 'escalate', 'after'], `it would have ended before: its timeout is ${seconds} s`)]
  },
  (step, path) => (['retry', 'catch'] as const).flatMap((field) => checkErrors(errorsOf(step, field, path))),
  (step, path) => {
    if (step.kind !== 'map' || !step.distributed) return []
    const [only] = step.steps
    const plain =
      step.steps.length === 1 && only?.kind === 'task' && !only.catch && !only.compensate && only.output === undefined
    return plain
      ? []
      : [
          failing(
            'NOT_HERE',
            [...path, 'steps'],
            'a distributed map has one task, without catch, compensate and output',
          ),
        ]
  },
  (step, path) =>
    step.kind === 'map' && !step.distributed && step.toleratedFailurePercentage !== undefined
      ? [
          failing(
            'NOT_HERE',
            [...path, 'toleratedFailurePercentage'],
            'this is for distributed maps; catch the failure inside of the steps',
          ),
        ]
      : [],
  (step, path) => {
    if (!('compensate' in step) || !step.compensate) return []
    return step.compensate.flatMap((undo, at) =>
      undoKinds.has(undo.kind)
        ? []
        : [
            failing(
              'NOT_HERE',
              [...path, 'compensate', at],
              `a ${undo.kind} cannot undo anything; use ${[...undoKinds].join(', ')}`,
            ),
          ],
    )
  },
  (step, path) =>
    step.kind === 'repeat' && step.timeout === undefined && (step.retry ?? step.catch) !== undefined
      ? [
          failing(
            'NOT_HERE',
            [...path, step.retry === undefined ? 'catch' : 'retry'],
            'a repeat takes retry and catch together with a timeout alone; else give them to its steps',
          ),
        ]
      : [],
]
