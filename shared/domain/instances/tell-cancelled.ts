import type { Platform } from '../../platform/platform.ts'
import type { Task } from '../tasks/task.ts'
import { leaseSeconds } from './instance.ts'
import { instanceKey } from './instance-store.ts'
import { nudge } from './nudge.ts'

type Ports = Pick<Platform, 'volatile' | 'clock'>

const prefix = 'cancelled#'

/** Tells the holder of a task that was cancelled under it: a heartbeat that is held now, and those of one lease's time. */
export const tellCancelled = async (ports: Ports, { tenant, id, lease }: Task): Promise<void> => {
  if (lease === undefined) return
  const key = { ...instanceKey(tenant, lease.instance), sk: `${prefix}${id}` }
  const expiresAt = ports.clock.now() + leaseSeconds * 1000
  await ports.volatile.write({ op: 'put', item: { ...key, type: 'cancelled', value: id, expiresAt }, expect: 'any' })
  await nudge(ports, tenant, lease.instance)
}

/** What was cancelled under an instance lately. */
export const lateCancelled = async ({ volatile }: Ports, tenant: string, instance: string): Promise<string[]> => {
  const { pk } = instanceKey(tenant, instance)
  const page = await volatile.query<string>({ pk, prefix, limit: 1000 })
  return page.items.map(({ value }) => value)
}
