import type { Platform } from '../../platform/platform.ts'
import type { Agent } from '../agents/agent.ts'
import { findAgent } from '../agents/agent-store.ts'
import { systemStamp } from '../caller.ts'
import { laneQueues } from '../dispatch/lanes.ts'
import { misfitOf } from '../dispatch/misfit.ts'
import { cannot } from '../dispatch/place-task.ts'
import { limitsThatHeld } from '../limits/held-limits.ts'
import { sideBySide } from '../side-by-side.ts'
import { isUnmet, limitHolderPk, readHeldPlace, unmetHolderPk } from './holders.ts'
import { routeBlocked } from './route-blocked.ts'
import type { Task } from './task.ts'
import { loseAgent, loseTarget } from './task-moves.ts'
import { changeTask, findTask } from './task-store.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random' | 'queues' | 'telemetry'>

const batch = 100

/** Whether an agent can never do a task as it is now: it is gone, or is not what that requires. */
export const isLostTo = (agent: Agent, task: Task): boolean =>
  agent.decommissionedAt !== undefined || misfitOf(agent, task) !== undefined

const taken = (agent: Agent, task: Task, now: number): Task => {
  if (task.status !== 'QUEUED' || task.target?.agent !== agent.id) return task
  if (agent.decommissionedAt !== undefined) return loseAgent(task, now)
  const problem = misfitOf(agent, task)
  return problem === undefined ? task : loseTarget(task, cannot(agent, problem))
}

/**
 * Takes a waiting task from an agent that is gone or can do it no more, for whoever offers its capability. Where that agent
 * was named and is there it waits until it can.
 */
export const handOnTask = async (ports: Ports, agent: Agent, id: string): Promise<void> => {
  const { tenant } = agent
  const start = await findTask(ports, tenant, id)
  if (start === undefined) return
  const { task } = await changeTask(ports, start, (current) => {
    const next = taken(agent, current, ports.clock.now())
    return { task: next === current ? current : { ...next, stamp: systemStamp('task.hand-on') }, answer: undefined }
  })
  if (task.target === undefined || isUnmet(task)) await routeBlocked(ports, tenant, id)
}

/** Hands a task on that came back to its queue, if its agent can do it no more. Answers whether that is so. */
export const handOnLost = async (ports: Ports, task: Task): Promise<boolean> => {
  const { tenant, id, status, target } = task
  const agent = status === 'QUEUED' && target ? (await findAgent(ports, tenant, target.agent))?.value : undefined
  if (agent === undefined || !isLostTo(agent, task)) return false
  await handOnTask(ports, agent, id)
  return true
}

/** Hands on everything that waits for an agent that is gone, wherever it waits. What comes later is handed on then. */
export const handOnTasks = async (ports: Ports, agent: Agent): Promise<void> => {
  await handOnSent(ports, agent)
  await handOnListed(ports, agent, unmetHolderPk(agent.tenant, agent.id), (place) => place)
  await handOnHeld(ports, agent)
}

/** The same of what limits hold. */
export const handOnHeld = async (ports: Ports, agent: Agent): Promise<void> => {
  for (const limit of await limitsThatHeld(ports, agent.tenant))
    await handOnListed(ports, agent, limitHolderPk(agent.tenant, limit), (place) => heldOf(agent, place))
}

const handOnSent = async (ports: Ports, agent: Agent): Promise<void> => {
  const queues = laneQueues(agent.tenant, { agent: agent.id, version: agent.version }).map(({ queue }) => queue)
  for (;;) {
    const received = await ports.queues.receive({ queues, max: batch, waitSeconds: 0 })
    if (received.length === 0) return
    await Promise.all(received.map(({ body }) => handOnTask(ports, agent, body)))
    await ports.queues.delete(received)
  }
}

const heldOf = (gone: Agent, place: string): string | undefined => {
  const { id, agent } = readHeldPlace(place)
  return agent.startsWith(`${gone.id} `) ? id : undefined
}

const listed = 1000

/** The same of what a partition of the `holder` index names: `taskAt` reads it from a place, where it is the agent's. */
const handOnListed = async (
  ports: Ports,
  agent: Agent,
  pk: string,
  taskAt: (place: string) => string | undefined,
): Promise<void> => {
  let cursor: string | undefined
  do {
    const page = await ports.main.queryKeys({ index: 'holder', pk, limit: listed, cursor })
    const tasks = page.items.flatMap(({ place }) => taskAt(place) ?? [])
    await sideBySide(tasks, batch, (task) => handOnTask(ports, agent, task))
    cursor = page.cursor
  } while (cursor !== undefined)
}
