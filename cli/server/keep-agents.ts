import type { Agent } from '#shared/domain/agents/agent.ts'
import { agentKey, findAgent } from '#shared/domain/agents/agent-store.ts'
import { sendsAway } from '#shared/domain/agents/lifecycle.ts'
import { findInstance } from '#shared/domain/instances/instance-store.ts'
import type { HostedAgent, Platform, Stored } from '#shared/platform/platform.ts'
import { createCopyCount } from './count-copies.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'queues' | 'hosts' | 'clock' | 'telemetry'>
type Kept = { hosted: HostedAgent; id: string; countCopies: ReturnType<typeof createCopyCount> }

const lookAgainMs = 60_000

/**
 * Keeps as many processes of each supervised agent as it should have: one, or what a person said; and starts one again
 * that was sent away once its agent is back in service. One that was scaled to zero is looked at every `lookMs`, and has a
 * process until `restMs` after its last work.
 */
export const createAgentKeeper = (platform: Ports, { lookMs = 500, restMs = 30_000 } = {}) => {
  const kept = new Map<string, Kept>()
  let stopped = false

  const find = async ({ hosted, id }: Kept): Promise<Stored<Agent> | undefined> => {
    const found = stopped ? undefined : await findAgent(platform, hosted.tenant, id)
    return found?.value.decommissionedAt === undefined ? found : undefined
  }
  /** Who is sent away finishes in peace: the platform has told its processes. */
  const scale = async ({ hosted }: Kept, agent: Agent, count: number): Promise<void> => {
    if (!stopped && !sendsAway(agent)) await platform.hosts.scale(hosted, count)
  }
  const keep = async (one: Kept): Promise<void> => {
    let before: { rev?: string; count?: number } = {}
    for (let found = await find(one); found !== undefined; found = await find(one)) {
      const { rev, value: agent } = found
      const isNew = rev !== before.rev
      const count = await one.countCopies(agent, isNew)
      if (agent.wanted !== 0 || isNew || count !== before.count) await scale(one, agent, count)
      if (stopped) return
      before = { rev, count }
      const ms = agent.wanted === 0 ? lookMs : lookAgainMs
      await platform.main.waitForChange(agentKey(one.hosted.tenant, one.id), rev, ms)
    }
    kept.delete(one.hosted.source)
  }
  const warn = (hosted: HostedAgent, error: unknown): void => {
    kept.delete(hosted.source)
    if (!stopped) platform.telemetry.log('error', 'an agent is not kept', { agent: hosted.agent, error: String(error) })
  }
  const begin = async (hosted: HostedAgent, instance: string): Promise<void> => {
    const joined = await findInstance(platform, hosted.tenant, instance)
    if (joined === undefined || kept.get(hosted.source)?.id === joined.value.agent) return
    const one = { hosted, id: joined.value.agent, countCopies: createCopyCount(platform, restMs) }
    kept.set(hosted.source, one)
    await keep(one)
  }
  return {
    /** A process of this agent has joined. */
    joined: (hosted: HostedAgent, instance: string): void =>
      void begin(hosted, instance).catch((error: unknown) => warn(hosted, error)),
    /** A process has ended and is not started again by itself. */
    left(hosted: HostedAgent): void {
      const one = kept.get(hosted.source)
      if (one === undefined) return
      find(one)
        .then(async (found) => found && (await scale(one, found.value, await one.countCopies(found.value, false))))
        .catch((error: unknown) => warn(hosted, error))
    },
    stop(): void {
      stopped = true
    },
  }
}

export type AgentKeeper = ReturnType<typeof createAgentKeeper>
