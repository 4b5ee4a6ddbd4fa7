import { findAgent } from '#shared/domain/agents/agent-store.ts'
import { formerAgent } from '#shared/domain/agents/former-agent.ts'
import { handsOut, sendsAway } from '#shared/domain/agents/lifecycle.ts'
import { liveLoads } from '#shared/domain/dispatch/find-target.ts'
import { laneQueues } from '#shared/domain/dispatch/lanes.ts'
import { noteColdStart } from '#shared/domain/why/cold-start.ts'
import type { Platform } from '#shared/platform/platform.ts'

export type HostedAgent = { agent: string; service: string; slots: number; max: number }

const tenant = 'default'

type Work = {
  waiting: number
  /** As the instances' last heartbeats told it: what was received since is missing. */
  running: number
  /** As the queues tell it: what workers run whose messages end with their claim is missing. */
  inFlight: number
}

/**
 * How many instances there should be: enough slots for what waits and runs. Never fewer than are at work, since ECS
 * chooses which of them ends; none at all when nothing waits or runs.
 */
export const wantedInstances = ({
  waiting,
  running,
  inFlight,
  slots,
  max,
}: Work & Pick<HostedAgent, 'slots' | 'max'>): number =>
  Math.min(max, Math.ceil((waiting + Math.max(running, inFlight)) / slots))

const sum = (numbers: number[]): number => numbers.reduce((total, one) => total + one, 0)

type Ports = Omit<Platform, 'feed' | 'bus' | 'objects' | 'generation'>

type Wish = { count: number /** Nothing waits for it, nothing runs. */; rests: boolean }

/** For one hosted agent. One that never enrolled is started once, so that it can; one that was deleted stays away. */
const wanted = async (ports: Ports, { agent: name, slots, max }: HostedAgent): Promise<Wish> => {
  const agent = (await findAgent(ports, tenant, name))?.value
  if (agent === undefined) return { count: (await formerAgent(ports, tenant, name)) ? 0 : 1, rests: false }
  const [depths, live] = await Promise.all([
    Promise.all(
      laneQueues(tenant, { agent: agent.id, version: agent.version }).map(({ queue }) => ports.queues.depth(queue)),
    ),
    liveLoads(ports, agent),
  ])
  const waiting = handsOut(agent) ? sum(depths.map((depth) => depth.waiting)) : 0
  const inFlight = sum(depths.map((depth) => depth.inFlight))
  const running = sum(live.map((load) => load.running))
  const needed = wantedInstances({ waiting, running, inFlight, slots, max })
  const kept = sendsAway(agent) ? 0 : Math.min(max, agent.wanted ?? 0)
  return { count: Math.max(needed, kept), rests: needed === 0 }
}

/** Brings every hosted agent to the number of instances that its work needs, from zero and back to zero. */
export const scaleHostedAgents = async (ports: Ports, agents: HostedAgent[]): Promise<void> => {
  for (const hosted of agents)
    try {
      const source = { tenant, agent: hosted.agent, version: 'any', source: hosted.service }
      const [{ count, rests }, now] = await Promise.all([wanted(ports, hosted), ports.hosts.instances(source)])
      const up = now.filter(({ state }) => state === 'STARTING' || state === 'RUNNING').length
      if (count > up) await noteColdStart(ports, tenant, { agentName: hosted.agent, count: count - up })
      if (count > up || ((rests || count === 0) && count < up)) await ports.hosts.scale(source, count)
    } catch (error) {
      ports.telemetry.log('error', 'a hosted agent could not be scaled', { agent: hosted.agent, error: String(error) })
    }
}
