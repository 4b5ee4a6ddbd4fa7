import type { Platform, Received } from '../../platform/platform.ts'
import { leavePlace, takePlace } from '../dispatch/concurrency.ts'
import { laneQueues } from '../dispatch/lanes.ts'
import type { Instance } from '../instances/instance.ts'
import { type Claim, claim } from './claim-task.ts'
import type { Task } from './task.ts'

type Ports = Omit<Platform, 'feed' | 'bus' | 'hosts'>

export type LeaseRequest = {
  instance: Instance
  /** The most to take. */
  max: number
  waitSeconds: number
  signal?: AbortSignal
}

/** How often an instance looks whether its agent's limit leaves a place again. */
const placeCheckMs = 300

/** Receives for an instance and claims what came: `QUEUED → RUNNING` under a new fence, one compare-and-swap each. */
export const leaseTasks = async (ports: Ports, request: LeaseRequest): Promise<Task[]> => {
  const { instance, waitSeconds, signal } = request
  const until = ports.clock.now() + waitSeconds * 1000
  const queues = laneQueues(instance.tenant, instance).map(({ queue }) => queue)
  while (!signal?.aborted) {
    const left = Math.max(0, until - ports.clock.now())
    const max = await takePlaces(ports, instance, request.max)
    let [received, tasks]: [Received[], Task[]] = [[], []]
    try {
      if (max > 0) received = await ports.queues.receive({ queues, max, waitSeconds: left / 1000, signal })
      tasks = await claimReceived(ports, instance, received)
    } finally {
      await leavePlaces(ports, instance, max - tasks.length)
    }
    if (tasks.length > 0 || (max > 0 && received.length === 0)) return tasks
    if (max === 0 && left === 0) return []
    if (max === 0) await ports.clock.sleep(Math.min(placeCheckMs, left))
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
  const claims: Claim[] = []
  const failures: unknown[] = []
  let rest = [...new Set(taskIds)]
  for (let room = 1; rest.length > 0 && room > 0; rest = rest.slice(room)) {
    room = await takePlaces(ports, instance, rest.length)
    const outcomes = await Promise.allSettled(rest.slice(0, room).map((id) => claim(ports, instance, id)))
    const made = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' && outcome.value ? [outcome.value] : []))
    await leavePlaces(ports, instance, room - made.filter(({ isNew }) => isNew).length)
    claims.push(...made)
    failures.push(...outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : [])))
  }
  if (failures.length > 0 && claims.length === 0) throw failures[0]
  return { tasks: claims.map(({ task }) => task), later: rest.length > 0 || failures.length > 0 }
}

/** How many of `wanted` the agent's own limit allows now; each is a place taken. */
const takePlaces = async (ports: Ports, instance: Instance, wanted: number): Promise<number> => {
  const { maxConcurrentTasks } = instance
  if (maxConcurrentTasks === undefined) return wanted
  let taken = 0
  while (taken < Math.min(wanted, maxConcurrentTasks) && (await takePlace(ports, { ...instance, maxConcurrentTasks })))
    taken++
  return taken
}

const leavePlaces = async (ports: Ports, { tenant, agent, maxConcurrentTasks }: Instance, count: number) => {
  if (maxConcurrentTasks !== undefined) for (let left = count; left > 0; left--) await leavePlace(ports, tenant, agent)
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
