import type { Platform } from '../../platform/platform.ts'
import type { Agent } from '../agents/agent.ts'
import { sendTask } from '../dispatch/send-task.ts'
import { handOnLost } from './hand-on-task.ts'
import { pinnedHolderPk, unmetHolderPk } from './holders.ts'
import { releaseBlocked } from './release-blocked.ts'
import type { Task } from './task.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random' | 'queues' | 'telemetry'>

/** An instance is gone or takes nothing more: what waits for it goes elsewhere. */
export const releasePinned = (ports: Ports, tenant: string, instance: string): Promise<void> =>
  sendAll(ports, pinnedHolderPk(tenant, instance))

/** An agent, or an instance of it, has labels or a class that it had not: what waited for them goes to it. */
export const releaseUnmet = async (ports: Ports, { tenant, id, capabilities }: Agent): Promise<void> => {
  await sendAll(ports, unmetHolderPk(tenant, id))
  for (const { name } of capabilities) await releaseBlocked(ports, tenant, name)
}

/** Everything of a `holder` partition is placed anew; what stays in it stays behind the cursor. */
const sendAll = async (ports: Ports, pk: string): Promise<void> => {
  let cursor: string | undefined
  do {
    const page = await ports.main.query<Task>({ index: 'holder', pk, limit: 100, cursor })
    await Promise.all(page.items.map(({ value }) => placeAnew(ports, value)))
    cursor = page.cursor
  } while (cursor !== undefined)
}

const placeAnew = async (ports: Ports, task: Task): Promise<void> => {
  if (!(await handOnLost(ports, task))) await sendTask(ports, task)
}
