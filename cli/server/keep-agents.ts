import type { Agent } from '#shared/domain/agents/agent.ts'
import { agentKey, findAgent } from '#shared/domain/agents/agent-store.ts'
import { sendsAway } from '#shared/domain/agents/lifecycle.ts'
import { findInstance } from '#shared/domain/instances/instance-store.ts'
import type { HostedAgent, Platform, Stored } from '#shared/platform/platform.ts'

const lookAgainMs = 60_000

/**
 * Keeps as many processes of each supervised agent as it should have: one, or what a person said; and starts one again
 * that was sent away once its agent is back in service.
 */
export const createAgentKeeper = (platform: Pick<Platform, 'main' | 'hosts' | 'telemetry'>) => {
  const kept = new Map<string, { hosted: HostedAgent; id: string }>()
  let stopped = false

  const find = async ({ hosted, id }: { hosted: HostedAgent; id: string }): Promise<Stored<Agent> | undefined> => {
    const found = stopped ? undefined : await findAgent(platform, hosted.tenant, id)
    return found?.value.decommissionedAt === undefined ? found : undefined
  }
  /** Who is sent away finishes in peace: the platform has told its processes. */
  const scale = async (hosted: HostedAgent, agent: Agent): Promise<void> => {
    if (!stopped && !sendsAway(agent)) await platform.hosts.scale(hosted, agent.wanted ?? 1)
  }
  const keep = async (one: { hosted: HostedAgent; id: string }): Promise<void> => {
    for (let found = await find(one); found !== undefined; found = await find(one)) {
      await scale(one.hosted, found.value)
      if (stopped) return
      await platform.main.waitForChange(agentKey(one.hosted.tenant, one.id), found.rev, lookAgainMs)
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
    const one = { hosted, id: joined.value.agent }
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
        .then((found) => found && scale(hosted, found.value))
        .catch((error: unknown) => warn(hosted, error))
    },
    stop(): void {
      stopped = true
    },
  }
}

export type AgentKeeper = ReturnType<typeof createAgentKeeper>
