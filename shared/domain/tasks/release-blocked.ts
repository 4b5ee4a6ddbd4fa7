import type { Platform } from '../../platform/platform.ts'
import { capabilityHolderPk } from './holders.ts'
import { routeBlocked } from './route-blocked.ts'
import type { Task } from './task.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random' | 'queues' | 'telemetry'>

/** Somebody offers a capability now: everything that waited for it is routed, oldest first. */
export const releaseBlocked = async (ports: Ports, tenant: string, capability: string): Promise<void> => {
  let cursor: string | undefined
  do {
    const page = await ports.main.query<Task>({
      index: 'holder',
      pk: capabilityHolderPk(tenant, capability),
      limit: 100,
      cursor,
    })
    for (const { value } of page.items) await routeBlocked(ports, tenant, value.id)
    cursor = page.cursor
  } while (cursor !== undefined)
}
