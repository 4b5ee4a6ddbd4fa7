import type { Platform } from '../../platform/platform.ts'
import type { Agent } from '../agents/agent.ts'
import { findAgent } from '../agents/agent-store.ts'
import { systemStamp } from '../caller.ts'
import { laneQueues } from '../dispatch/lanes.ts'
import { limitsThatHeld } from '../limits/held-limits.ts'
import { sideBySide } from '../side-by-side.ts'
import { limitHolderPk, readHeldPlace, unmetHolderPk } from './holders.ts'
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

/** Hands a task on that came back to its queue, if its agent is gone meanwhile. Answers whether it is. */
export const handOnLost = async (ports: Ports, task: Task): Promise<boolean> => {
  if (!(await hasLostAgent(ports, task))) return false
  await handOnTask(ports, task.tenant, task.id, task.target?.agent ?? '')
  return true
}

type Gone = Pick<Agent, 'tenant' | 'id' | 'version'>

/** Hands on everything that waits for an agent that is gone, wherever it waits. What comes later is handed on then. */
export const handOnTasks = async (ports: Ports, agent: Gone): Promise<void> => {
  await handOnSent(ports, agent)
  await handOnListed(ports, agent, unmetHolderPk(agent.tenant, agent.id), (place) => place)
  for (const limit of await limitsThatHeld(ports, agent.tenant))
    await handOnListed(ports, agent, limitHolderPk(agent.tenant, limit), (place) => heldOf(agent, place))
}

const handOnSent = async (ports: Ports, agent: Gone): Promise<void> => {
  const queues = laneQueues(agent.tenant, { agent: agent.id, version: agent.version }).map(({ queue }) => queue)
  for (;;) {
    const received = await ports.queues.receive({ queues, max: batch, waitSeconds: 0 })
    if (received.length === 0) return
    await Promise.all(received.map(({ body }) => handOnTask(ports, agent.tenant, body, agent.id)))
    await ports.queues.delete(received)
  }
}

const heldOf = (gone: Gone, place: string): string | undefined => {
  const { id, agent } = readHeldPlace(place)
  return agent.startsWith(`${gone.id} `) ? id : undefined
}

const listed = 1000

/** The same of what a partition of the `holder` index names: `taskAt` reads it from a place, where it is the agent's. */
const handOnListed = async (
  ports: Ports,
  { tenant, id }: Gone,
  pk: string,
  taskAt: (place: string) => string | undefined,
): Promise<void> => {
  let cursor: string | undefined
  do {
    const page = await ports.main.queryKeys({ index: 'holder', pk, limit: listed, cursor })
    const tasks = page.items.flatMap(({ place }) => taskAt(place) ?? [])
    await sideBySide(tasks, batch, (task) => handOnTask(ports, tenant, task, id))
    cursor = page.cursor
  } while (cursor !== undefined)
}
