import { inOwnWords } from '../own-words.ts'
import type { StepState } from '../run.ts'
import type { OutlineStep } from '../workflow.ts'
import { nextTry, type States, waitOf } from './asl.ts'
import type { Visit } from './visits.ts'

/** What a machine has done so far, and whether it goes on. */
export type Trace = { visits: Visit[]; isWhole: boolean; isRunning: boolean }

/** A step as its machine tells of it, as of the last time that it ran; `PENDING`: it has failed, and is tried again. */
export type SeenStep = OutlineStep & {
  state: StepState | 'PENDING'
  startedAt: number
  finishedAt?: number
  error?: string
  cause?: string
  /** When a wait is over, or the next try has begun at the latest. */
  until?: number
  /** The expression that says so, where the machine alone knows. */
  when?: string
  /** It undoes another one. */
  undoes?: true
  /** The try that comes next, and how many there may be. */
  attempt?: number
  attempts?: number
}

/** The states that steps come in by are named like them, or so. */
const entries = ['', ': begin', ': tries', ': timed']
/** What is done once a step has failed is none of it. */
const afterwards = /: (settle|ignored) \d+$/

const ownersIn = (outline: OutlineStep[]) => {
  const names = new Set(outline.map(({ name }) => name))
  return ({ state }: Visit): string | undefined => {
    const [name = ''] = afterwards.test(state) ? [] : state.split(': ')
    return [name, name.replace(/Race$/, '')].find((one) => names.has(one))
  }
}

const hasFailed = ({ isFailed, type }: Visit): boolean => isFailed || type === 'Fail'
const isOpen = ({ endedAt }: Visit): boolean => endedAt === undefined

/** The steps of a definition that a machine has come to. */
export const seenSteps = (outline: OutlineStep[], states: States, trace: Trace): SeenStep[] => {
  const ownerOf = ownersIn(outline)
  const byStep = Map.groupBy(trace.visits, ownerOf)
  const placeOf = new Map(outline.map((step) => [step.name, step.in]))
  const isIn = (name: string | undefined, outer: string): boolean =>
    name !== undefined && (name === outer || isIn(placeOf.get(name), outer))
  const isOutermost = ({ around }: Visit, name: string): boolean =>
    around === undefined || (ownerOf(around) !== name && isOutermost(around, name))

  return outline.flatMap((step): SeenStep[] => {
    const tops = (byStep.get(step.name) ?? []).filter((visit) => isOutermost(visit, step.name))
    const starts = tops.filter(({ state }) => entries.some((entry) => state === `${step.name}${entry}`))
    const first = starts.find(isOpen) ?? starts.at(-1) ?? tops[0]
    if (first === undefined) return []
    const own = tops.filter(({ enteredAt }) => enteredAt >= first.enteredAt)
    const all = trace.visits.filter((one) => one.enteredAt >= first.enteredAt && isIn(ownerOf(one), step.name))
    return [{ ...step, startedAt: first.enteredAt, ...outcomeOf({ own, all }, states, trace) }]
  })
}

/** States of a step itself, and all with those of the steps in it. */
type Family = { own: Visit[]; all: Visit[] }
type Outcome = Omit<SeenStep, keyof OutlineStep | 'startedAt'>

const outcomeOf = ({ own, all }: Family, states: States, { isRunning }: Trace): Outcome => {
  const open = all.filter(isOpen)
  const last = own.at(-1) as Visit
  if (open.length > 0 && isRunning) return underWay(own.find(isOpen), states)
  const decided = open.find(hasFailed) ?? open[0] ?? last
  const finishedAt = Math.max(...all.map(({ endedAt = 0, failures }) => Math.max(endedAt, failures.at(-1)?.at ?? 0)))
  if (hasFailed(decided)) return { state: 'FAILED', ...failureOf(last.isFailed ? last : decided), ...ended(finishedAt) }
  return { state: open.length > 0 || decided.isLeft ? 'ABANDONED' : 'SUCCEEDED', ...ended(finishedAt) }
}

const ended = (at: number) => at > 0 && { finishedAt: at }

const underWay = (visit: Visit | undefined, states: States): Outcome => {
  if (visit?.isFailed) return { state: 'PENDING', ...failureOf(visit), ...nextTry(states, visit) }
  const { until, when } = visit?.type === 'Wait' ? waitOf(states, visit) : {}
  return {
    state: 'RUNNING',
    ...(until !== undefined && { until }),
    ...(when !== undefined && { when: inOwnWords(when) }),
  }
}

/** A step that fails by itself is known by what it brought down. */
const failureOf = ({ failures, around }: Visit): { error?: string; cause?: string } => {
  const { error, cause } = failures.at(-1) ?? {}
  if (error === undefined) return around === undefined ? {} : failureOf(around)
  const name = error === 'States.Timeout' ? 'TIMEOUT' : error
  return { error: name, ...(cause && { cause: inOwnWords(cause) }) }
}
