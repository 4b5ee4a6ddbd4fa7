import type { Key, Platform } from '../../platform/platform.ts'
import { ulidTime } from '../../platform/ulid.ts'
import type { Instance } from '../instances/instance.ts'
import { liveInstancesOf } from '../instances/instance-store.ts'
import { instanceHolderPk } from '../tasks/holders.ts'
import type { Task } from '../tasks/task.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock'>
type Limited = Pick<Instance, 'tenant' | 'agent'> & { maxConcurrentTasks: number }

/** How many tasks of an agent with a limit of its own are running; there is no counter where there is no limit. */
const counterKey = (tenant: string, agent: string): Key => ({ pk: `${tenant}#running#${agent}`, sk: 'counter' })

/** Takes one of the places that an agent's limit leaves; `false`: all are taken. */
export const takePlace = async (ports: Ports, limited: Limited): Promise<boolean> => {
  const key = counterKey(limited.tenant, limited.agent)
  const add = () => ports.volatile.add(key, 1, { max: limited.maxConcurrentTasks })
  if ((await add()) !== undefined) return true
  return (await recount(ports, limited)) && (await add()) !== undefined
}

/** Gives a place back. */
export const leavePlace = async (
  { volatile }: Pick<Platform, 'volatile'>,
  tenant: string,
  agent: string,
): Promise<void> => {
  await volatile.add(counterKey(tenant, agent), -1, { min: 0 })
}

/** Long enough for whoever took a place to have claimed its task. */
const settledMs = 10_000

/**
 * A place that was never given back, because somebody ended in between, is found again once nothing was taken or left
 * for a while. `true`: there is one.
 */
const recount = async (ports: Ports, { tenant, agent, maxConcurrentTasks }: Limited): Promise<boolean> => {
  const key = counterKey(tenant, agent)
  const before = await ports.volatile.get<number>(key)
  if (before === undefined || ports.clock.now() - ulidTime(before.rev) < settledMs) return false
  const instances = await liveInstancesOf(ports, tenant, agent)
  const counts = await Promise.all(instances.map(({ value }) => countHeld(ports, tenant, value.id)))
  const running = counts.reduce((sum, count) => sum + count, 0)
  if (running >= maxConcurrentTasks) return false
  const outcome = await ports.volatile.write({
    op: 'put',
    item: { ...key, type: before.type, value: running },
    expect: { rev: before.rev },
  })
  return outcome.ok
}

const countHeld = async ({ main }: Pick<Platform, 'main'>, tenant: string, instance: string): Promise<number> => {
  let count = 0
  let cursor: string | undefined
  do {
    const page = await main.query<Task>({
      index: 'holder',
      pk: instanceHolderPk(tenant, instance),
      limit: 1000,
      cursor,
    })
    count += page.items.filter(({ value }) => value.lease?.instance === instance).length
    cursor = page.cursor
  } while (cursor !== undefined)
  return count
}
