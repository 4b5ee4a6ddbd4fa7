import type { Platform, Received } from '../../platform/platform.ts'
import type { Agent } from '../agents/agent.ts'
import { laneQueues } from '../dispatch/lanes.ts'
import { passOn } from '../dispatch/send-task.ts'
import { liveInstancesOf } from '../instances/instance-store.ts'
import { handOnHeld, handOnTask, isLostTo } from './hand-on-task.ts'
import { findTask } from './task-store.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random' | 'queues' | 'telemetry'>

const batch = 100
/** So long one looks; what is left is found when an instance receives it, or by the sweep. */
const lookMs = 10_000

/** An agent has lost something: what waits for it and requires that goes to whoever has it. */
export const reviewQueued = async (ports: Ports, agent: Agent): Promise<void> => {
  const live = await liveInstancesOf(ports, agent.tenant, agent.id)
  const until = ports.clock.now() + lookMs
  const kept: Received[] = []
  try {
    for (const receiver of [undefined, ...live.map(({ value }) => value.id)])
      await reviewSent(ports, agent, { receiver, until, kept })
  } finally {
    for (let at = 0; at < kept.length; at += batch) await ports.queues.release(kept.slice(at, at + batch))
  }
  await handOnHeld(ports, agent)
}

type Look = { receiver: string | undefined; until: number; kept: Received[] }

/** Everything of its lanes is received once; what can stay is `kept` in flight until all is seen, in its place. */
const reviewSent = async (ports: Ports, agent: Agent, { receiver, until, kept }: Look): Promise<void> => {
  const queues = laneQueues(agent.tenant, { agent: agent.id, version: agent.version }).map(({ queue }) => queue)
  while (ports.clock.now() < until) {
    const received = await ports.queues.receive({ queues, max: batch, receiver, waitSeconds: 0 })
    if (received.length === 0) return
    const outcomes = await Promise.allSettled(received.map(({ body }) => staysThere(ports, agent, body)))
    const left = (at: number): boolean => outcomes[at]?.status === 'fulfilled' && !outcomes[at].value
    kept.push(...received.filter((_, at) => !left(at)))
    await ports.queues.delete(received.filter((_, at) => left(at)))
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failed) throw failed.reason
  }
}

/** Whether a message is still what an instance should receive. One that came before its row is. */
const staysThere = async (ports: Ports, agent: Agent, id: string): Promise<boolean> => {
  const task = (await findTask(ports, agent.tenant, id))?.value
  if (task === undefined) return true
  if (task.target?.agent !== agent.id) return false
  if (task.status !== 'QUEUED') return true
  if (!isLostTo(agent, task)) return (await passOn(ports, task)) === 'elsewhere'
  await handOnTask(ports, agent, id)
  return false
}
