import { findAgent } from '#shared/domain/agents/agent-store.ts'
import { liveLoads } from '#shared/domain/dispatch/find-target.ts'
import { laneQueues } from '#shared/domain/dispatch/lanes.ts'
import type { Platform } from '#shared/platform/platform.ts'

export type HostedAgent = { agent: string; service: string; slots: number; max: number }

const tenant = 'default'

/**
 * How many instances there should be: enough slots for what waits and runs. Never fewer than are at work, since ECS
 * chooses which of them ends; none at all when nothing waits or runs.
 */
export const wantedInstances = ({
  waiting,
  running,
  slots,
  max,
}: {
  waiting: number
  running: number
  slots: number
  max: number
}): number => Math.min(max, Math.ceil((waiting + running) / slots))

type Ports = Omit<Platform, 'feed' | 'bus' | 'objects' | 'generation'>

/** Work of one hosted agent; one that never enrolled is started once, so that it can. */
const wanted = async (ports: Ports, { agent: name, slots, max }: HostedAgent): Promise<number> => {
  const agent = (await findAgent(ports, tenant, name))?.value
  if (agent === undefined) return 1
  const [depths, live] = await Promise.all([
    Promise.all(
      laneQueues(tenant, { agent: agent.id, version: agent.version }).map(({ queue }) => ports.queues.depth(queue)),
    ),
    liveLoads(ports, agent),
  ])
  const waiting = depths.reduce((sum, depth) => sum + depth.waiting, 0)
  const running = live.reduce((sum, load) => sum + load.running, 0)
  return wantedInstances({ waiting, running, slots, max })
}

/** Brings every hosted agent to the number of instances that its work needs, from zero and back to zero. */
export const scaleHostedAgents = async (ports: Ports, agents: HostedAgent[]): Promise<void> => {
  for (const hosted of agents)
    try {
      const source = { tenant, agent: hosted.agent, version: 'any', source: hosted.service }
      const [count, now] = await Promise.all([wanted(ports, hosted), ports.hosts.instances(source)])
      const up = now.filter(({ state }) => state === 'STARTING' || state === 'RUNNING').length
      if (count > up || (count === 0 && up > 0)) await ports.hosts.scale(source, count)
    } catch (error) {
      ports.telemetry.log('error', 'a hosted agent could not be scaled', { agent: hosted.agent, error: String(error) })
    }
}
