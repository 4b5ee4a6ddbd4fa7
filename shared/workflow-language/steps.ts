import { type Definition, type Duration, ownKinds, type Step } from '#shared/contracts/workflows/definition.ts'
import type { Path } from './problem.ts'

/**
 * Steps inside of a step. `flow`: they run in the variables of the step; `inner`: in variables of their own, which
 * nobody outside sees; `catch`: instead of what failed; `compensate`: apart from the run.
 */
export type Block = { role: 'flow' | 'inner' | 'catch' | 'compensate'; path: Path; steps: Step[]; label: string }

const block = (role: Block['role'], label: string, path: Path, steps: Step[] | undefined): Block[] =>
  steps === undefined ? [] : [{ role, label, path, steps }]

const branchesOf = (branches: Record<string, Step[]>): Block[] =>
  Object.entries(branches).flatMap(([name, steps]) => block('inner', name, ['branches', name], steps))

const timedKinds: Step['kind'][] = ['parallel', 'map', 'repeat', 'race', 'vote']
/** A block with a time for the whole of it; a distributed map, as one task of the product, has its own. */
export type TimedStep = Step & { name: string; timeout: Duration }

export const isTimed = (step: Step): step is TimedStep =>
  timedKinds.includes(step.kind) &&
  'timeout' in step &&
  step.timeout !== undefined &&
  !(step.kind === 'map' && step.distributed)

/** Whether a step waits for the product: with a time, as it is one state. */
export const waits = (step: Step): boolean =>
  !ownKinds.has(step.kind) || (step.kind === 'map' && step.distributed === true)

export const timerName = (name: string): string => `${name}: timer`

/** The blocks that are the work of a step. */
const workOf = (step: Step): Block[] => {
  if (step.kind === 'parallel' || step.kind === 'race') return branchesOf(step.branches)
  if (step.kind === 'map') return block('inner', 'each', ['steps'], step.steps)
  if (step.kind === 'repeat') return block(isTimed(step) ? 'inner' : 'flow', 'again', ['steps'], step.steps)
  if (step.kind !== 'choice') return []
  const cases = step.cases.flatMap(({ steps }, at) => block('flow', `case ${at + 1}`, ['cases', at, 'steps'], steps))
  return [...cases, ...block('flow', 'otherwise', ['otherwise'], step.otherwise)]
}

/** All blocks of a step, in the order of the text. */
export const blocksOf = (step: Step): Block[] => [
  ...workOf(step),
  ...('catch' in step ? (step.catch ?? []) : []).flatMap(({ steps }, at) =>
    block('catch', 'catch', ['catch', at, 'steps'], steps),
  ),
  ...('compensate' in step ? block('compensate', 'compensate', ['compensate'], step.compensate) : []),
]

/**
 * Whether a block may end, or be tried again, before what it has begun: its steps then say which time of the block they
 * are of.
 */
export const outlives = (step: Step): boolean => {
  if (step.kind === 'race') return true
  const isBlock =
    step.kind === 'parallel' ||
    step.kind === 'vote' ||
    (step.kind === 'map' && !step.distributed) ||
    (step.kind === 'repeat' && isTimed(step))
  return isBlock && (step.retry !== undefined || step.catch !== undefined)
}
/** Whether such a block may be tried again. */
export const hasTries = (step: Step): boolean => outlives(step) && 'retry' in step && step.retry !== undefined
/** Has the identity of the time that a block runs. */
export const blockVariable = (name: string): string => `${name}Block`
/** Has when the try of a block began. */
export const tryVariable = (name: string): string => `${name}Try`

/** A race beside its timer goes by this name: it is over when it is won, the step when its timer is. */
export const timedRace = (name: string): string => `${name}Race`
/** Has the name of the timer of a block. */
export const timerVariable = (name: string): string => `${name}Timer`
/** Stands for the variable of a block inside of it. */
export const innerVariable = (name: string): string => `${name}_last`
/** Variables that a block with a time of its own takes besides its name. */
export const timedVariables = ({ kind, name }: Step): string[] => [
  timerVariable(name),
  innerVariable(name),
  ...(kind === 'race' ? [timedRace(name), blockVariable(timedRace(name))] : []),
]

/** Counts the events of an execution, in a machine that goes on in further ones. */
export const legVariable = 'legEvents'

export type Placed = { step: Step; path: Path; level: number }

/** Every step with its place, parents before their blocks. */
export const everyStep = (steps: Step[], path: Path = ['steps'], level = 1): Placed[] =>
  steps.flatMap((step, at) => [
    { step, path: [...path, at], level },
    ...blocksOf(step).flatMap((inner) => everyStep(inner.steps, [...path, at, ...inner.path], level + 1)),
  ])

/** Names of the steps that run in the same variables as these. */
export const flowNames = (steps: Step[]): string[] =>
  steps.flatMap((step) => [
    step.name,
    ...blocksOf(step)
      .filter(({ role }) => role === 'flow' || role === 'catch')
      .flatMap((inner) => flowNames(inner.steps)),
  ])

/** Steps of a definition that undo something when the run does not succeed. */
export const compensatedSteps = ({ steps }: Definition): (Step & { compensate: Step[] })[] =>
  everyStep(steps).flatMap(({ step }) =>
    'compensate' in step && step.compensate ? [{ ...step, compensate: step.compensate }] : [],
  )
