import type { Item, Key, Platform, Stored } from '../../platform/platform.ts'
import type { Lease, Measured, Task, Usage } from './task.ts'
import { taskPk } from './task-store.ts'
import { subtractUsage, withMeasured } from './usage-sum.ts'

/** One lease of a task, from its start to its outcome. Times in milliseconds. */
export type Attempt = {
  attempt: number
  instance: string
  version: string
  fence: string
  startedAt: number
  finishedAt?: number
  /** `RUNNING`, `SUCCEEDED`, `CANCELLED`, `RELEASED` or the failure's code. */
  outcome: string
  message?: string
  usage?: Usage
}

const prefix = 'attempt#'

/** The attempt that a change of state began or ended, if it did. */
export const attemptOfChange = (before: Task | undefined, after: Task): Attempt | undefined => {
  const lease = before?.lease ?? after.lease
  if (lease === undefined) return undefined
  const base = {
    attempt: after.attempt,
    instance: lease.instance,
    version: after.target?.version ?? '',
    fence: lease.fence,
    startedAt: lease.since,
  }
  if (after.status === 'RUNNING') return { ...base, outcome: 'RUNNING' }
  return {
    ...base,
    finishedAt: after.transition.at,
    outcome: after.transition.reason ?? after.status,
    ...(after.transition.message && { message: after.transition.message }),
    ...usageOf(lease, after.usage),
  }
}

/** What the attempt used itself: the task's usage grows over all of them. */
const usageOf = ({ usedBefore }: Lease, usage: Usage | undefined): Pick<Attempt, 'usage'> => {
  const own = usage && subtractUsage(usage, usedBefore)
  return own && Object.keys(own).length > 0 ? { usage: own } : {}
}

const attemptKey = (task: Task, { attempt, fence }: Attempt): Key => ({
  pk: taskPk(task.tenant, task.id),
  sk: `${prefix}${String(attempt).padStart(6, '0')}#${fence}`,
})

export const attemptItem = (task: Task, attempt: Attempt): Item<Attempt> => ({
  ...attemptKey(task, attempt),
  type: 'attempt',
  value: attempt,
})

/** What was measured of an attempt is told after its end, beside it: the projector may write the attempt itself again. */
const ofMeasured = (sk: string): string => `${sk}#measured`

export const measuredKey = (task: Task, attempt: Attempt): Key => {
  const { pk, sk } = attemptKey(task, attempt)
  return { pk, sk: ofMeasured(sk) }
}

const attemptsOf = (items: Stored[]): Attempt[] => {
  const values = new Map(items.map(({ sk, value }) => [sk, value]))
  return items.flatMap(({ type, sk, value }) => {
    if (type !== 'attempt') return []
    const [attempt, measured] = [value as Attempt, values.get(ofMeasured(sk)) as Measured | undefined]
    return [measured ? { ...attempt, usage: withMeasured(attempt.usage ?? {}, measured) } : attempt]
  })
}

/** How long a reader waits for the projector to catch up with the head. */
const patience = { rounds: 25, ms: 20 }

/** All attempts, first one first. */
export const readAttempts = async (
  { main, clock }: Pick<Platform, 'main' | 'clock'>,
  task: Task,
): Promise<Attempt[]> => {
  for (let round = 0; ; round++) {
    const page = await main.query({ pk: taskPk(task.tenant, task.id), prefix, limit: 1000 })
    const attempts = attemptsOf(page.items).map((one) => (isHeld(one, task) ? { ...one, ...usageSoFar(task) } : one))
    if (isCurrent(attempts, task) || round >= patience.rounds) return attempts
    await clock.sleep(patience.ms)
  }
}

const isHeld = ({ fence, outcome }: Attempt, { lease }: Task): boolean =>
  outcome === 'RUNNING' && fence === lease?.fence

/** Of one that runs: what it has reported. */
const usageSoFar = ({ lease, usage }: Task): Pick<Attempt, 'usage'> => (lease ? usageOf(lease, usage) : {})

const isCurrent = (attempts: Attempt[], task: Task): boolean =>
  attempts.length >= task.attempt &&
  attempts.every(({ outcome, fence }) => outcome !== 'RUNNING' || fence === task.lease?.fence)
