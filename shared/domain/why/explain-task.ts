import type { Platform } from '../../platform/platform.ts'
import { findAgent } from '../agents/agent-store.ts'
import { findApproval } from '../approvals/approval-store.ts'
import { findReserved } from '../budgets/reserved-seconds.ts'
import { livePin } from '../dispatch/affinity.ts'
import { laneQueues } from '../dispatch/lanes.ts'
import { performanceOf } from '../dispatch/performance.ts'
import { platformInstance } from '../fan-out/lead-parent.ts'
import { findLease, findLeases, liveInstancesOf } from '../instances/instance-store.ts'
import { holdingLimit } from '../limits/holding-limit.ts'
import { countHeld } from '../tasks/count-held.ts'
import { priorities, type Target, type Task } from '../tasks/task.ts'
import { getTask } from '../tasks/task-store.ts'
import type { LiveInstance, Situation, Why } from './cause.ts'
import { coldStartsOf } from './cold-start.ts'
import { explainShards } from './explain-shards.ts'
import { explain } from './why.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'queues' | 'clock'>

/** Why a task does not run, or how it ended: looks at everything that a cause may lie in. */
export const explainTask = async (ports: Ports, tenant: string, id: string): Promise<Why> => {
  const { value: task } = await getTask(ports, tenant, id)
  const why = isDivided(task)
    ? await explainShards(ports, task, (part) => explainTask(ports, tenant, part))
    : await explainOne(ports, task)
  return task.routing ? { ...why, evidence: { ...why.evidence, routing: task.routing } } : why
}

/** What keeps a distributed task are its parts. */
const isDivided = ({ fanOut, status }: Task): boolean =>
  fanOut !== undefined && (status === 'RUNNING' || status === 'QUEUED')

const explainOne = async (ports: Ports, task: Task): Promise<Why> => {
  const situation: Situation = { task, now: ports.clock.now(), live: [], starting: 0 }
  return explain({ ...situation, ...(await lookAround(ports, task)) })
}

const lookAround = async (ports: Ports, task: Task): Promise<Partial<Situation>> => {
  if (task.status === 'RUNNING') return { leaseUntil: await leaseUntil(ports, task) }
  if (task.waiting?.approval !== undefined)
    return { approval: await approvalOf(ports, task.tenant, task.waiting.approval) }
  return task.status === 'QUEUED' && task.target ? aroundQueued(ports, task, task.target) : {}
}

const approvalOf = async (ports: Ports, tenant: string, id: string): Promise<Situation['approval']> => {
  const found = (await findApproval(ports, tenant, id))?.value
  return (
    found && { ...found, approvedBy: found.decisions.filter((one) => one.verdict === 'approve').map(({ by }) => by) }
  )
}

const leaseUntil = async (ports: Ports, { tenant, lease }: Task): Promise<number> =>
  lease?.instance === platformInstance
    ? lease.timeoutAt
    : lease === undefined
      ? 0
      : ((await findLease(ports, tenant, lease.instance))?.expiresAt ?? 0)

const shownReservers = 10

const aroundQueued = async (ports: Ports, task: Task, target: Target): Promise<Partial<Situation>> => {
  const { tenant } = task
  const [agent, live, starting, ahead, limit, reserved, pin, [recorded]] = await Promise.all([
    findAgent(ports, tenant, target.agent),
    liveOf(ports, tenant, target),
    coldStartsOf(ports, tenant, target.agentName),
    countAhead(ports, task, target),
    holdingLimit(ports, task),
    findReserved(ports, task, shownReservers),
    livePin(ports, task, target),
    performanceOf(ports, tenant, [target.agent]),
  ])
  return {
    agent: agent?.value,
    live,
    starting,
    limit,
    reserved,
    pin,
    queue: { ahead, ...(recorded && recorded.latencyMs > 0 && { taskMs: recorded.latencyMs }) },
  }
}

const liveOf = async (ports: Ports, tenant: string, target: Target): Promise<LiveInstance[]> => {
  const up = (await liveInstancesOf(ports, tenant, target.agent)).filter(
    ({ value }) => value.version === target.version,
  )
  const ids = up.map(({ value }) => value.id)
  const leases = await findLeases(ports, tenant, ids)
  const alive = up.filter((_, at) => (leases[at]?.expiresAt ?? 0) > ports.clock.now())
  return Promise.all(
    alive.map(async ({ value: { id, slots, labels, state } }) => ({
      id,
      slots,
      labels,
      running: await countHeld(ports, { tenant, id, slots }),
      draining: state === 'MAINTENANCE',
    })),
  )
}

/** What waits in higher lanes, and before it in its own; where nobody can tell, everything that waits there with it. */
const countAhead = async ({ queues }: Ports, task: Task, target: Target): Promise<number> => {
  const above = priorities.slice(0, priorities.indexOf(task.priority))
  const lanes = laneQueues(task.tenant, target)
  const own = lanes.find(({ lane }) => lane === task.priority)?.queue ?? ''
  const higher = lanes.filter(({ lane }) => above.includes(lane))
  const [before, depth, ...depths] = await Promise.all([
    queues.ahead(own, task.id),
    queues.depth(own),
    ...higher.map(({ queue }) => queues.depth(queue)),
  ])
  const inLane = before ?? Math.max(0, depth.waiting - 1)
  return depths.reduce((sum, { waiting }) => sum + waiting, inLane)
}
