import type { Platform, Stored } from '../../platform/platform.ts'
import type { Agent } from '../agents/agent.ts'
import { agentListPk } from '../agents/agent-store.ts'
import { systemStamp } from '../caller.ts'
import { liveInstancesOf } from '../instances/instance-store.ts'
import { instanceHolderPk } from '../tasks/holders.ts'
import type { Task } from '../tasks/task.ts'
import { changeTask } from '../tasks/task-store.ts'
import { limitsOfTask } from './limits-store.ts'
import { isUsable, leavePlace, newPlace, takePlace } from './places.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random' | 'queues' | 'telemetry'>

/** Counts what runs already in limits that are new, also beyond what they allow: nothing more starts until there is room. */
export const adoptRunning = async (ports: Ports, tenant: string): Promise<void> => {
  let cursor: string | undefined
  do {
    const page = await ports.main.query<Agent>({ index: 'list', pk: agentListPk(tenant), limit: 200, cursor })
    for (const { value } of page.items) await adoptOfAgent(ports, tenant, value.id)
    cursor = page.cursor
  } while (cursor !== undefined)
}

/** The same for what one agent runs. */
export const adoptOfAgent = async (ports: Ports, tenant: string, agent: string): Promise<void> => {
  for (const { value } of await liveInstancesOf(ports, tenant, agent)) await adoptOfInstance(ports, tenant, value.id)
}

const adoptOfInstance = async (ports: Ports, tenant: string, instance: string): Promise<void> => {
  const pk = instanceHolderPk(tenant, instance)
  let cursor: string | undefined
  do {
    const page = await ports.main.query<Task>({ index: 'holder', pk, limit: 200, cursor })
    for (const stored of page.items) if (stored.value.status === 'RUNNING') await adopt(ports, stored)
    cursor = page.cursor
  } while (cursor !== undefined)
}

const adopt = async (ports: Ports, stored: Stored<Task>): Promise<void> => {
  const { value: task } = stored
  for (const { id, concurrency } of await limitsOfTask(ports, task))
    if (concurrency !== undefined && task.lease?.counted?.[id] === undefined) await adoptIn(ports, stored, id)
}

/** The place first, as for a lease; should that have ended meanwhile, or be counted by somebody else, it goes back. */
const adoptIn = async (ports: Ports, start: Stored<Task>, limit: string): Promise<void> => {
  const { tenant, id, lease } = start.value
  const place = newPlace(ports)
  await takePlace(ports, tenant, { id: limit, concurrency: Number.MAX_SAFE_INTEGER }, { task: id, place })
  const { answer: adopted } = await changeTask(ports, start, (task) => {
    const { lease: held } = task
    const isSame = held !== undefined && held.fence === lease?.fence && held.counted?.[limit] === undefined
    if (!isSame || !isUsable(ports, place)) return { task, answer: false }
    const counted = { ...held.counted, [limit]: place }
    return { task: { ...task, lease: { ...held, counted }, stamp: systemStamp('task.count') }, answer: true }
  })
  if (!adopted) await leavePlace(ports, tenant, limit, { task: id, place })
}
