import type { Agent } from '#shared/domain/agents/agent.ts'
import { handsOut } from '#shared/domain/agents/lifecycle.ts'
import { laneQueues } from '#shared/domain/dispatch/lanes.ts'
import { liveInstancesOf } from '#shared/domain/instances/instance-store.ts'
import { countHeld } from '#shared/domain/tasks/count-held.ts'
import { noteColdStart } from '#shared/domain/why/cold-start.ts'
import type { Platform } from '#shared/platform/platform.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'queues' | 'clock'>

const hasWork = async (ports: Ports, agent: Agent): Promise<boolean> => {
  const queues = laneQueues(agent.tenant, { agent: agent.id, version: agent.version })
  const depths = await Promise.all(queues.map(({ queue }) => ports.queues.depth(queue)))
  if (depths.some(({ waiting, inFlight }) => inFlight > 0 || (waiting > 0 && handsOut(agent)))) return true
  const live = await liveInstancesOf(ports, agent.tenant, agent.id)
  const held = await Promise.all(live.map(({ value }) => countHeld(ports, value)))
  return held.some((count) => count > 0)
}

/**
 * Says how many copies of one agent there are to be: as many as a person said, else one. One that was scaled to zero has
 * a copy while there is work, and for `restMs` after it.
 */
export const createCopyCount = (ports: Ports, restMs: number) => {
  let workedAt = Number.NEGATIVE_INFINITY
  let count = 0
  return async (agent: Agent, isNew: boolean): Promise<number> => {
    if (agent.wanted !== 0) return agent.wanted ?? 1
    const works = await hasWork(ports, agent)
    if (works) workedAt = ports.clock.now()
    const next = works || (!isNew && ports.clock.now() < workedAt + restMs) ? 1 : 0
    if (next > count) await noteColdStart(ports, agent.tenant, { agentName: agent.name, count: next })
    count = next
    return next
  }
}
