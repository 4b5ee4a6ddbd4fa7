import type { Platform, Received, Stored } from '../../platform/platform.ts'
import type { Agent } from '../agents/agent.ts'
import { agentKey, getAgent } from '../agents/agent-store.ts'
import { handsOut } from '../agents/lifecycle.ts'
import { laneQueues } from '../dispatch/lanes.ts'
import type { Instance } from '../instances/instance.ts'
import { claim } from './claim-task.ts'
import type { Task } from './task.ts'

type Ports = Omit<Platform, 'feed' | 'bus' | 'hosts'>

export type LeaseRequest = {
  instance: Instance
  /** The most to take. */
  max: number
  waitSeconds: number
  signal?: AbortSignal
}

/** Receives for an instance and claims what came: `QUEUED → RUNNING` under a new fence, one compare-and-swap each. */
export const leaseTasks = async (ports: Ports, request: LeaseRequest): Promise<Task[]> => {
  const { instance, waitSeconds, signal } = request
  const until = ports.clock.now() + waitSeconds * 1000
  const queues = laneQueues(instance.tenant, instance).map(({ queue }) => queue)
  while (!signal?.aborted) {
    const open = await untilOpen(ports, instance, until)
    const left = Math.max(0, until - ports.clock.now())
    if (!open) return []
    const received = await ports.queues.receive({ queues, max: request.max, waitSeconds: left / 1000, signal })
    if (received.length === 0) return []
    if (!handsOut(await getAgentOf(ports, instance))) {
      await ports.queues.release(received) // paused while the call waited
      continue
    }
    const tasks = await claimReceived(ports, instance, received)
    if (tasks.length > 0) return tasks
  }
  return []
}

/**
 * Claims tasks whose ids the instance received from its queue by itself. One that it holds already is answered again:
 * the first answer was lost. `later`: some of the ids may be this instance's to run, but not now.
 */
export const claimTasks = async (
  ports: Ports,
  instance: Instance,
  taskIds: string[],
): Promise<{ tasks: Task[]; later: boolean }> => {
  if (!handsOut(await getAgentOf(ports, instance))) return { tasks: [], later: true }
  const outcomes = await Promise.allSettled([...new Set(taskIds)].map((id) => claim(ports, instance, id)))
  const claims = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' && outcome.value ? [outcome.value] : []))
  const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
  if (failures.length > 0 && claims.length === 0) throw failures[0]
  return { tasks: claims.map(({ task }) => task), later: failures.length > 0 }
}

const getAgentOf = async (ports: Ports, { tenant, agent }: Instance): Promise<Agent> =>
  (await getAgent(ports, tenant, agent)).value

/** Waits while the agent is paused or in maintenance; `false`: it still is when the time is over. */
const untilOpen = async (ports: Ports, { tenant, agent }: Instance, until: number): Promise<boolean> => {
  let found: Stored<Agent> | undefined = await getAgent(ports, tenant, agent)
  while (found && !handsOut(found.value) && ports.clock.now() < until)
    found = await ports.main.waitForChange<Agent>(agentKey(tenant, agent), found.rev, until - ports.clock.now())
  return found !== undefined && handsOut(found.value)
}

const claimReceived = async (ports: Ports, instance: Instance, received: Received[]): Promise<Task[]> => {
  const claims = await Promise.allSettled(received.map(({ body }) => claim(ports, instance, body)))
  const failed = received.filter((_, at) => claims[at]?.status === 'rejected')
  const settled = received.filter((_, at) => claims[at]?.status === 'fulfilled')
  const warn = (message: string, error: unknown) => ports.telemetry.log('warn', message, { error: String(error) })
  await Promise.all([ports.queues.delete(settled), ports.queues.release(failed)]).catch((error: unknown) =>
    warn('messages stay in their queue and come again', error),
  )
  for (const claimed of claims) if (claimed.status === 'rejected') warn('a claim failed', claimed.reason)
  return claims.flatMap((claimed) =>
    claimed.status === 'fulfilled' && claimed.value?.isNew ? [claimed.value.task] : [],
  )
}
