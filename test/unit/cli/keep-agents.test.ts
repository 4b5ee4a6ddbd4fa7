import { afterAll, beforeAll, expect, it } from 'vitest'
import { createAgentKeeper } from '#cli/server/keep-agents.ts'
import { operateAgent, scaleAgent } from '#shared/domain/agents/operate-agent.ts'
import { registerAgent } from '#shared/domain/agents/register-agent.ts'
import type { Caller } from '#shared/domain/caller.ts'
import { joinInstance } from '#shared/domain/instances/join-instance.ts'
import { coldStartsOf } from '#shared/domain/why/cold-start.ts'
import type { HostedAgent } from '#shared/platform/platform.ts'
import { aPlatform } from '#test/support/embedded.ts'
import { eventually } from '#test/support/eventually.ts'

const caller: Caller = { tenant: 'default', principal: { kind: 'key', id: 'test', role: 'admin' }, requestId: 'req' }
const hosted: HostedAgent = { tenant: 'default', agent: 'folder', version: 'local', source: 'folder' }

let embedded: Awaited<ReturnType<typeof aPlatform>>
beforeAll(async () => {
  embedded = await aPlatform()
})
afterAll(() => embedded.close())

it('an agent that was scaled to zero has one copy while there is work, unless it is paused, and none after a while', async () => {
  const work = { waiting: 0, inFlight: 0 }
  const scaled: number[] = []
  const platform = {
    ...embedded.platform,
    queues: { ...embedded.platform.queues, depth: async () => work },
    hosts: { ...embedded.platform.hosts, scale: async (_: HostedAgent, count: number) => void scaled.push(count) },
  }
  const fields = { type: 'test', version: '1.0.0', capabilities: [], configuration: {}, labels: {} }
  const { id } = await registerAgent(platform, caller, { name: 'rests', ...fields })
  const { instanceId } = await joinInstance(platform, caller, { agent: id, slots: 1, labels: {} })
  const keeper = createAgentKeeper(platform, { lookMs: 10, restMs: 300 })
  keeper.joined(hosted, instanceId)
  const last = (count: number) => eventually(() => expect(scaled.at(-1)).toBe(count))
  await last(1)
  await scaleAgent(platform, caller, id, { instances: 0 })
  await last(0)
  Object.assign(work, { waiting: 1 })
  await last(1)
  expect(await coldStartsOf(platform, 'default', 'rests')).toBe(1)
  await operateAgent(platform, caller, id, { operation: 'pause' })
  await last(0)
  await operateAgent(platform, caller, id, { operation: 'resume' })
  await last(1)
  Object.assign(work, { waiting: 0, inFlight: 1 })
  await new Promise((resolve) => setTimeout(resolve, 400))
  expect(scaled.at(-1)).toBe(1)
  Object.assign(work, { inFlight: 0 })
  await last(0)
  keeper.stop()
})
