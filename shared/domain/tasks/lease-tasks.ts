import type { Platform, Received, Stored } from '../../platform/platform.ts'
import { getAgent } from '../agents/agent-store.ts'
import { liveLoads } from '../dispatch/find-target.ts'
import { laneQueues } from '../dispatch/lanes.ts'
import { isRefused } from '../domain-error.ts'
import type { Instance } from '../instances/instance.ts'
import type { Task } from './task.ts'
import { leaseTask } from './task-moves.ts'
import { changeTask, findTask, taskKey } from './task-store.ts'

type Ports = Omit<Platform, 'feed' | 'bus' | 'hosts'>

/** How often, and how long, a message that came before its row is looked up again. */
const rowTries = 3
const rowWaitMs = 50

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
    const max = await roomFor(ports, instance, request.max)
    const left = Math.max(0, until - ports.clock.now()) / 1000
    if (max === 0) return []
    const received = await ports.queues.receive({ queues, max, waitSeconds: left, signal })
    if (received.length === 0) return []
    const tasks = await claimReceived(ports, instance, received)
    if (tasks.length > 0) return tasks
  }
  return []
}

/** Claims tasks whose ids the instance received from its queue by itself. */
export const claimTasks = async (ports: Ports, instance: Instance, taskIds: string[]): Promise<Task[]> => {
  const room = await roomFor(ports, instance, taskIds.length)
  const claimed = await Promise.all([...new Set(taskIds)].slice(0, room).map((id) => claim(ports, instance, id)))
  return claimed.filter((task) => task !== undefined)
}

/** How many more tasks the agent's own limit allows now. */
const roomFor = async (ports: Ports, instance: Instance, wanted: number): Promise<number> => {
  const limit = instance.maxConcurrentTasks
  if (limit === undefined) return wanted
  const { value: agent } = await getAgent(ports, instance.tenant, instance.agent)
  const running = (await liveLoads(ports, agent)).reduce((sum, load) => sum + load.running, 0)
  return Math.max(0, Math.min(wanted, limit - running))
}

const claimReceived = async (ports: Ports, instance: Instance, received: Received[]): Promise<Task[]> => {
  const claims = await Promise.allSettled(received.map(({ body }) => claim(ports, instance, body)))
  const failed = received.filter((_, at) => claims[at]?.status === 'rejected')
  const settled = received.filter((_, at) => claims[at]?.status === 'fulfilled')
  await Promise.all([ports.queues.delete(settled), ports.queues.release(failed)])
  for (const claimed of claims)
    if (claimed.status === 'rejected') ports.telemetry.log('warn', 'a claim failed', { error: String(claimed.reason) })
  return claims.flatMap((claimed) => (claimed.status === 'fulfilled' && claimed.value ? [claimed.value] : []))
}

/** The leased task; `undefined` when it is not this instance's to run, or not waiting any more. */
const claim = async (ports: Ports, instance: Instance, id: string): Promise<Task | undefined> => {
  const found = await findArriving(ports, instance.tenant, id)
  if (found === undefined) return undefined
  const changed = await changeTask(ports, found, (task) => {
    if (!isFor(instance, task)) return { task, answer: false }
    const next = leaseTask(task, { instance: instance.id, generation: ports.generation, now: ports.clock.now() })
    return isRefused(next) ? { task, answer: false } : { task: next, answer: true }
  })
  return changed.answer ? changed.task : undefined
}

const isFor = (instance: Instance, { target }: Task): boolean =>
  target?.agent === instance.agent && target.version === instance.version

/** The head, also when the message overtook it. */
const findArriving = async (ports: Ports, tenant: string, id: string): Promise<Stored<Task> | undefined> => {
  let found = await findTask(ports, tenant, id)
  for (let tries = 0; found === undefined && tries < rowTries; tries++)
    found = await ports.main.waitForChange<Task>(taskKey(tenant, id), undefined, rowWaitMs)
  return found
}
