import type { Platform, Write } from '../../platform/platform.ts'
import { remind } from '../dispatch/due.ts'
import type { Task } from '../tasks/task.ts'
import { ranSecondsAt } from '../tasks/task-transition.ts'
import { leftOf, type Pool, type Share } from './pool.ts'
import { changeShares, type Planner } from './pool-store.ts'
import { linkOf } from './spent.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random'>

/** So much of what is left at a time, so that others find something too; but not so little that it ends at once. */
const partOfLeft = 1 / 4
const leastSeconds = 1

/** What its share is to hold for an attempt of a task that has run for so long. */
const grantOf = (pool: Pool, share: Share | undefined, ran: number): number => {
  const held = Math.max(share?.held.seconds ?? 0, 0)
  const room = (leftOf(pool, 'seconds') ?? 0) + Math.max(0, held - ran)
  return Math.max(held, ran + Math.min(room, Math.max(leastSeconds, room * partOfLeft)))
}

/** `seconds`: how many an attempt has from now on; absent without a bound, 0 when nothing is left. `checks`: while they are its. */
export type Grant = { seconds?: number; checks: Write[] }

/** Reserves seconds for an attempt, by all that its task has run until now, and charges those. */
export const grantSeconds = async (ports: Ports, task: Task): Promise<Grant> => {
  const { tenant, id, pool } = task
  if (pool === undefined) return { checks: [] }
  const ran = ranSecondsAt(task, ports.clock.now()) ?? 0
  let seconds: number | undefined
  const planner: Planner = (chain, shares) => {
    const link = linkOf(chain, 'seconds')
    if (link === undefined) return new Map()
    const held = grantOf(link.stored.value, shares.get(link.id), ran)
    seconds = Math.max(0, held - ran)
    return new Map([[link.id, { held: { seconds: held }, partly: true, growing: true }]])
  }
  const { short, shares } = await changeShares(ports, { tenant, pool, task: id }, planner)
  if (seconds === undefined) return { checks: [] }
  return { seconds: short.length > 0 ? 0 : seconds, checks: shares }
}

/** Somebody looks at an attempt as its seconds are over: the sweep alone may come a minute later. */
export const remindOfSeconds = async (
  ports: Pick<Platform, 'queues' | 'clock' | 'telemetry'>,
  { tenant, id, lease }: Task,
): Promise<void> => {
  if (lease?.budgetAt !== undefined) await remind(ports, { tenant, id, at: lease.budgetAt })
}
