import type { Platform, Stored } from '../../platform/platform.ts'
import type { Agent } from '../agents/agent.ts'
import { agentListPk } from '../agents/agent-store.ts'
import type { FanOut } from '../fan-out/fan-out.ts'
import { resumeFanOut } from '../fan-out/keep-pass.ts'
import { type Instance, type InstanceLease, leaseSeconds } from '../instances/instance.ts'
import { findLeases, liveInstancesOf, saveLease } from '../instances/instance-store.ts'
import type { Task } from '../tasks/task.ts'
import { dueShardPk, dueShards, remind } from './due.ts'
import { laneQueue } from './lanes.ts'
import { isSendable, messageOf } from './send-task.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'queues' | 'clock' | 'random' | 'telemetry'>

const pageSize = 1000

/**
 * Fills empty queues again from the records: everything that has not ended is in the `due` index, batches that a process
 * before this one worked on too. For a host that is one process, before it takes its first request. Answers how many tasks
 * it sent.
 */
export const rebuildQueues = async (ports: Ports): Promise<number> => {
  const counts = await Promise.all(Array.from({ length: dueShards }, (_, shard) => rebuildShard(ports, shard)))
  return counts.reduce((sum, count) => sum + count, 0)
}

const rebuildShard = async (ports: Ports, shard: number): Promise<number> => {
  let count = 0
  let cursor: string | undefined
  do {
    const page = await ports.main.query<Task>({ index: 'due', pk: dueShardPk(shard), limit: pageSize, cursor })
    const tasks = page.items.filter(({ type }) => type === 'task').map(({ value }) => value)
    count += await sendQueued(ports, tasks)
    for (const { tenant, id, dueAt, status } of tasks)
      if (status === 'SCHEDULED' && dueAt !== undefined) await remind(ports, { tenant, id, at: dueAt })
    for (const item of page.items)
      if (item.type === 'batch') await resumeFanOut(ports, item as Stored<unknown> as Stored<FanOut>)
    cursor = page.cursor
  } while (cursor !== undefined)
  return count
}

const sendQueued = async ({ queues }: Ports, tasks: Task[]): Promise<number> => {
  const queued = tasks.filter(isSendable)
  const byQueue = Map.groupBy(queued, ({ tenant, target, priority }) => laneQueue(tenant, target, priority))
  for (const [queue, group] of byQueue) await queues.send(queue, group.map(messageOf))
  return queued.length
}

/**
 * After an outage of the platform itself no instance could give a sign of life: each gets a full lease to do so before
 * what it holds runs elsewhere. One that has given none since the outage before gets no more: it is dead, and a platform
 * that starts again and again must not keep its tasks from others.
 */
export const renewAfterOutage = async (ports: Ports, tenant: string): Promise<void> => {
  let cursor: string | undefined
  do {
    const page = await ports.main.query<Agent>({ index: 'list', pk: agentListPk(tenant), limit: 200, cursor })
    for (const { value } of page.items) await renewInstances(ports, value)
    cursor = page.cursor
  } while (cursor !== undefined)
}

const renewInstances = async (ports: Ports, { tenant, id: agent }: Agent): Promise<void> => {
  const live = await liveInstancesOf(ports, tenant, agent)
  const ids = live.map(({ value }) => value.id)
  const leases = await findLeases(ports, tenant, ids)
  await Promise.all(live.map(({ value }, at) => renewInstance(ports, value, leases[at])))
}

const renewInstance = async (
  ports: Ports,
  { tenant, id, slots }: Instance,
  before: InstanceLease | undefined,
): Promise<void> => {
  const now = ports.clock.now()
  const expiresAt = before?.grace ? before.expiresAt : now + leaseSeconds * 1000
  const lease: InstanceLease = { instance: id, expiresAt, running: 0, slots, idleSince: now, grace: true }
  if (!before?.grace) await saveLease(ports, tenant, lease)
  await remind(ports, { tenant, id, at: Math.max(now, expiresAt) })
}
