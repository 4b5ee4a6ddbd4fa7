import type { Platform } from '../../platform/platform.ts'
import type { Agent } from '../agents/agent.ts'
import { findAgent } from '../agents/agent-store.ts'
import { systemStamp } from '../caller.ts'
import { laneQueues } from '../dispatch/lanes.ts'
import { routeBlocked } from './route-blocked.ts'
import type { Task } from './task.ts'
import { loseAgent } from './task-moves.ts'
import { changeTask, findTask } from './task-store.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random' | 'queues' | 'telemetry'>

const batch = 100

/** Whether a task waits for an agent that is out of service. */
export const hasLostAgent = async (
  ports: Pick<Platform, 'main'>,
  { tenant, status, target }: Task,
): Promise<boolean> => {
  if (status !== 'QUEUED' || target === undefined) return false
  return (await findAgent(ports, tenant, target.agent))?.value.decommissionedAt !== undefined
}

/** Takes a waiting task from an agent that is gone, for whoever offers its capability. */
export const handOnTask = async (ports: Ports, tenant: string, id: string, agent: string): Promise<void> => {
  const start = await findTask(ports, tenant, id)
  if (start === undefined) return
  const { task } = await changeTask(ports, start, (current) => {
    const waits = current.status === 'QUEUED' && current.target?.agent === agent
    const next = waits ? { ...loseAgent(current, ports.clock.now()), stamp: systemStamp('task.hand-on') } : current
    return { task: next, answer: undefined }
  })
  if (task.target === undefined) await routeBlocked(ports, tenant, id)
}

/** Hands on everything that waits in the queues of an agent that is gone. What comes there later, the sweep hands on. */
export const handOnTasks = async (ports: Ports, agent: Pick<Agent, 'tenant' | 'id' | 'version'>): Promise<void> => {
  const queues = laneQueues(agent.tenant, { agent: agent.id, version: agent.version }).map(({ queue }) => queue)
  for (;;) {
    const received = await ports.queues.receive({ queues, max: batch, waitSeconds: 0 })
    if (received.length === 0) return
    await Promise.all(received.map(({ body }) => handOnTask(ports, agent.tenant, body, agent.id)))
    await ports.queues.delete(received)
  }
}
