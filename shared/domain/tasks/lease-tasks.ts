import type { Platform, Received, Stored } from '../../platform/platform.ts'
import type { Agent } from '../agents/agent.ts'
import { agentKey, getAgent } from '../agents/agent-store.ts'
import { handsOut } from '../agents/lifecycle.ts'
import type { Instance } from '../instances/instance.ts'
import { type Claim, claim, type Stays } from './claim-task.ts'
import { lookAgainSeconds, receiveTasks, withinRoom } from './receive-tasks.ts'
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
  let open = await untilOpen(ports, instance, { until, signal })
  for (let look = 0; open !== undefined && !signal?.aborted && isInTime(ports, until); look++) {
    const left = Math.max(0, until - ports.clock.now())
    const receiving = { instance, agent: open.agent, max: request.max, waitSeconds: left / 1000, look, signal }
    const came = await receiveTasks(ports, receiving)
    if (came.early) continue
    if (came.received.length === 0) return []
    const agent = isStale(ports, open, came.received) ? await getAgentOf(ports, instance) : open.agent
    if (!handsOut(agent)) {
      await ports.queues.release(came.received) // paused while the call waited
      open = await untilOpen(ports, instance, { until, signal })
      continue
    }
    const tasks = await withinRoom(ports, receiving, came, (kept) => claimReceived(ports, { instance, agent }, kept))
    if (tasks !== undefined && tasks.length > 0) return tasks
    if (tasks === undefined && left === 0) return []
    if (tasks === undefined)
      await ports.clock.sleep(Math.min(left, lookAgainSeconds * 1000), signal).catch(() => undefined)
  }
  return []
}

/** So long after its time a call goes on that received only what limits hold back. */
const overtimeMs = 1000
const isInTime = ({ clock }: Ports, until: number): boolean => clock.now() <= until + overtimeMs

/**
 * Claims tasks whose ids the instance received from its queue by itself. One that it holds already is answered again:
 * the first answer was lost. `later`: some of the ids may be this instance's to run, but not now; the messages of those
 * `elsewhere` are for another instance, or for later.
 */
export const claimTasks = async (
  ports: Ports,
  instance: Instance,
  taskIds: string[],
): Promise<{ tasks: Task[]; later: boolean; elsewhere: string[] }> => {
  const agent = await getAgentOf(ports, instance)
  if (!handsOut(agent)) return { tasks: [], later: true, elsewhere: [] }
  const ids = [...new Set(taskIds)]
  const outcomes = await Promise.allSettled(ids.map((id) => claim(ports, instance, id, agent)))
  const claims = outcomes.flatMap((outcome) => claimOf(outcome) ?? [])
  const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
  if (failures.length > 0 && claims.length === 0) throw failures[0]
  const elsewhere = ids.filter((_, at) => stays(outcomes[at], 'elsewhere') || stays(outcomes[at], 'reserved'))
  return { tasks: claims.map(({ task }) => task), later: failures.length > 0, elsewhere }
}

const getAgentOf = async (ports: Ports, { tenant, agent }: Instance): Promise<Agent> =>
  (await getAgent(ports, tenant, agent)).value

/** So long a waiting call trusts what it read of the agent: longer, and it may have been paused meanwhile. */
const trustMs = 250
/** Clocks of a queue and of who receives differ by so much. */
const skewMs = 100

type Open = { agent: Agent; readAt: number }

/** What was sent after the agent was read may have been sent after it was paused. */
const isStale = ({ clock }: Ports, { readAt }: Open, received: Received[]): boolean =>
  clock.now() - readAt > trustMs || received.some(({ sentAt }) => sentAt + skewMs > readAt)

/** The agent, once it is not paused or in maintenance; `undefined`: it still is when the time is over. */
const untilOpen = async (
  ports: Ports,
  { tenant, agent }: Instance,
  { until, signal }: { until: number; signal?: AbortSignal },
): Promise<Open | undefined> => {
  let found: Stored<Agent> | undefined = await getAgent(ports, tenant, agent)
  while (found && !handsOut(found.value) && ports.clock.now() < until && !signal?.aborted)
    found = await ports.main.waitForChange<Agent>(agentKey(tenant, agent), found.rev, until - ports.clock.now())
  return found !== undefined && handsOut(found.value) ? { agent: found.value, readAt: ports.clock.now() } : undefined
}

type Outcome = PromiseSettledResult<Awaited<ReturnType<typeof claim>>>

const claimOf = (outcome: Outcome): Claim | undefined =>
  outcome.status === 'fulfilled' && typeof outcome.value !== 'string' ? outcome.value : undefined
const stays = (outcome: Outcome | undefined, why: Stays): boolean =>
  outcome?.status === 'fulfilled' && outcome.value === why

/** How long a message stays with its queue that another instance should receive. */
const passOnSeconds = 2
/** How often, and how long, a message stays that came before its row: a submit may wait for a slow disk. */
const early = { receives: 5, seconds: 0.5 }
/** A task that waits for seconds which others have reserved asks again after one second, then after two, and so on. */
const longestWaitSeconds = 10

type Receiver = { instance: Instance; agent: Agent }

const claimReceived = async (ports: Ports, { instance, agent }: Receiver, received: Received[]): Promise<Task[]> => {
  const claims = await Promise.allSettled(received.map(({ body }) => claim(ports, instance, body, agent)))
  const thatStay = (why: Stays) => received.filter((_, at) => stays(claims[at], why))
  const failed = received.filter((_, at) => claims[at]?.status === 'rejected')
  const [others, waiting] = [thatStay('elsewhere'), thatStay('reserved')]
  const tooEarly = thatStay('missing').filter(({ receives }) => receives < early.receives)
  const stay = new Set([...failed, ...others, ...waiting, ...tooEarly])
  const settled = received.filter((one) => !stay.has(one))
  const warn = (message: string, error: unknown) => ports.telemetry.log('warn', message, { error: String(error) })
  const { queues } = ports
  await Promise.all([
    queues.delete(settled),
    queues.release(failed),
    queues.release(others, passOnSeconds),
    queues.release(tooEarly, early.seconds),
    ...waiting.map((one) => queues.release([one], Math.min(one.receives, longestWaitSeconds))),
  ]).catch((error: unknown) => warn('messages stay in their queue and come again', error))
  for (const claimed of claims) if (claimed.status === 'rejected') warn('a claim failed', claimed.reason)
  return claims.flatMap((outcome) => {
    const claimed = claimOf(outcome)
    return claimed?.isNew ? [claimed.task] : []
  })
}
