import type { RunEvent, RunFailure } from '../../../platform/platform.ts'

export type Failure = RunFailure & { at: number }

/** One time that a machine is, or was, in a state. */
export type Visit = {
  state: string
  type: string
  /** The state that it is a branch of. */
  around?: Visit
  enteredAt: number
  /** When it was left, or ended by what is around it. */
  endedAt?: number
  /** It ended before it was done: nothing waited for it any more. */
  isLeft?: true
  /** Of its tries, since it was entered or redriven. */
  failures: Failure[]
  /** The last try has failed, and no other has begun. */
  isFailed: boolean
}

/** What an event does to where the machine is; answers where it is then. */
type Move = (visits: Visit[], at: Visit | undefined, event: RunEvent) => Visit | undefined

const isBlock = ({ type }: Visit): boolean => type === 'Parallel' || type === 'Map'
const isInside = ({ around }: Visit, outer: Visit): boolean =>
  around !== undefined && (around === outer || isInside(around, outer))

const find = (at: Visit | undefined, is: (visit: Visit) => boolean): Visit | undefined =>
  at === undefined || is(at) ? at : find(at.around, is)

/** What was under way inside of a block ends with it. */
const leaveBranches = (visits: Visit[], block: Visit, endedAt: number): void => {
  for (const visit of visits)
    if (visit.endedAt === undefined && isInside(visit, block)) Object.assign(visit, { endedAt, isLeft: true })
}

const enter: Move = (visits, at, { type, name: state = '', at: enteredAt }) => {
  const isAgain = at !== undefined && at.endedAt === undefined && !isBlock(at) // as a redrive does
  if (isAgain) Object.assign(at, { endedAt: enteredAt, isLeft: true })
  const visit: Visit = {
    state,
    type: type.slice(0, -'StateEntered'.length),
    around: isAgain ? at.around : at,
    enteredAt,
    failures: [],
    isFailed: false,
  }
  visits.push(visit)
  return visit
}

const exit: Move = (visits, at, { name, at: endedAt }) => {
  const visit = find(at, ({ state }) => state === name)
  if (visit === undefined) return undefined
  visit.endedAt = endedAt
  if (isBlock(visit)) leaveBranches(visits, visit, endedAt)
  return visit.around
}

const failed = (visit: Visit | undefined, { error, cause, at }: RunEvent): void => {
  if (visit === undefined || (visit.isFailed && isBlock(visit))) return
  visit.failures.push({ error, cause, at })
  visit.isFailed = true
}

const fail: Move = (_visits, at, event) => {
  failed(at, event)
  return at
}

const failBlock: Move = (visits, at, event) => {
  const block = find(at, (one) => isBlock(one) && !one.isFailed && event.type.startsWith(one.type))
  failed(block, event)
  if (block) leaveBranches(visits, block, event.at)
  return block ?? at
}

const tryAgain: Move = (_visits, at) => {
  if (at) at.isFailed = false
  return at
}

const redrive: Move = (visits, at) => {
  for (const visit of visits)
    if (visit.endedAt === undefined) Object.assign(visit, { failures: [], isFailed: false } satisfies Partial<Visit>)
  return at
}

/** The execution has failed where the event before was, unless that is known better. */
const failWhole: Move = (_visits, at, event) => {
  if (at && !at.isFailed && at.endedAt === undefined) failed(at, event)
  return at
}

const moves: [RegExp, Move][] = [
  [/StateEntered$/, enter],
  [/StateExited$/, exit],
  [/^(Task(Failed|TimedOut|SubmitFailed|StartFailed)|EvaluationFailed)$/, fail],
  [/^(Parallel|Map)StateFailed$/, failBlock],
  [/^(TaskScheduled|ParallelStateStarted|MapStateStarted)$/, tryAgain],
  [/^ExecutionRedriven$/, redrive],
  [/^ExecutionFailed$/, failWhole],
]

/** The states that a machine was in, from events in their order; what was entered before the first of them is not known. */
export const visitsOf = (events: RunEvent[]): Visit[] => {
  const visits: Visit[] = []
  const places = new Map<number, Visit | undefined>()
  for (const event of events) {
    const at = places.get(event.previous)
    const move = moves.find(([types]) => types.test(event.type))?.[1]
    places.set(event.id, move ? move(visits, at, event) : at)
  }
  return visits
}
