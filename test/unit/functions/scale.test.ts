import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { everyMinute } from '#functions/sweep/every-minute.ts'
import { scaleHostedAgents, wantedInstances } from '#functions/sweep/scale.ts'
import { decommissionAgent } from '#shared/domain/agents/change-agent.ts'
import type { AgentOperation } from '#shared/domain/agents/lifecycle.ts'
import { operateAgent, scaleAgent } from '#shared/domain/agents/operate-agent.ts'
import { registerAgent } from '#shared/domain/agents/register-agent.ts'
import type { Caller } from '#shared/domain/caller.ts'
import type { HostedInstance, Platform } from '#shared/platform/platform.ts'
import { aPlatform } from '#test/support/embedded.ts'

const caller: Caller = { tenant: 'default', principal: { kind: 'key', id: 'test', role: 'admin' }, requestId: 'req' }
const hosted = (agent: string) => [{ agent, service: `cluster/${agent}`, slots: 2, max: 3 }]

let embedded: Awaited<ReturnType<typeof aPlatform>>
beforeAll(async () => {
  embedded = await aPlatform()
})
afterAll(() => embedded.close())

/** The platform with `up` instances and what a lane's queue says; `scaled` collects the counts that are asked for. */
const aHost = ({ up = 1, waiting = 0, inFlight = 0 }: { up?: number; waiting?: number; inFlight?: number } = {}) => {
  const scaled: number[] = []
  const { hosts, queues } = embedded.platform
  const platform: Platform = {
    ...embedded.platform,
    queues: {
      ...queues,
      depth: async (queue) => (queue.endsWith('normal') ? { waiting, inFlight } : { waiting: 0, inFlight: 0 }),
    },
    hosts: {
      ...hosts,
      scale: async (_, count) => void scaled.push(count),
      instances: async () =>
        Array.from({ length: up }, (_, at): HostedInstance => ({ id: `${at}`, state: 'RUNNING', startedAt: 0 })),
    },
  }
  return { platform, scaled }
}
const register = (name: string) =>
  registerAgent(embedded.platform, caller, {
    name,
    type: 'test',
    version: '1.0.0',
    capabilities: [],
    configuration: {},
    labels: {},
  })

describe('the instances of a hosted agent', () => {
  it.each([
    [{ waiting: 0, running: 0, inFlight: 0 }, 0],
    [{ waiting: 0, running: 0, inFlight: 1 }, 1],
    [{ waiting: 1, running: 2, inFlight: 1 }, 2],
    [{ waiting: 1, running: 1, inFlight: 4 }, 3],
    [{ waiting: 99, running: 0, inFlight: 0 }, 3],
  ])('are for %o: %d', (work, count) => {
    expect(wantedInstances({ ...work, slots: 2, max: 3 })).toBe(count)
  })

  it('stay while a task was received that no heartbeat has told of', async () => {
    await register('just-began')
    const { platform, scaled } = aHost({ inFlight: 1 })
    await scaleHostedAgents(platform, hosted('just-began'))
    expect(scaled).toEqual([])
  })

  it('end when nothing waits or runs', async () => {
    await register('idle')
    const { platform, scaled } = aHost()
    await scaleHostedAgents(platform, hosted('idle'))
    expect(scaled).toEqual([0])
  })

  it('begin with one that enrols the agent', async () => {
    const { platform, scaled } = aHost({ up: 0 })
    await scaleHostedAgents(platform, hosted('unheard-of'))
    expect(scaled).toEqual([1])
  })

  it('end for good when the agent is decommissioned, until its name is taken again', async () => {
    const { id, name } = await register('deleted')
    await decommissionAgent(embedded.platform, caller, id)
    const [running, gone] = [aHost(), aHost({ up: 0 })]
    await scaleHostedAgents(running.platform, hosted(name))
    await scaleHostedAgents(gone.platform, hosted(name))
    expect([running.scaled, gone.scaled]).toEqual([[0], []])
    await register(name)
    const again = aHost({ up: 0, waiting: 1 })
    await scaleHostedAgents(again.platform, hosted(name))
    expect(again.scaled).toEqual([1])
  })
})

describe('what a person decided of a hosted agent', () => {
  const operate = (name: string, operation: AgentOperation) =>
    operateAgent(embedded.platform, caller, name, { operation })
  const scaledWith = async (name: string, host: Parameters<typeof aHost>[0]) => {
    const { platform, scaled } = aHost(host)
    await scaleHostedAgents(platform, hosted(name))
    return scaled
  }

  it('starts nothing for the queue of a paused agent, and everything once it is resumed', async () => {
    const { name } = await register('paused')
    await operate(name, 'pause')
    expect(await scaledWith(name, { up: 0, waiting: 9 })).toEqual([])
    await operate(name, 'resume')
    expect(await scaledWith(name, { up: 0, waiting: 9 })).toEqual([3])
  })

  it('keeps as many as were wished for within its maximum, and goes back to them when it rests', async () => {
    const { id, name } = await register('wished')
    await scaleAgent(embedded.platform, caller, id, { instances: 2 })
    expect(await scaledWith(name, { up: 0 })).toEqual([2])
    expect(await scaledWith(name, { up: 3 })).toEqual([2])
    expect(await scaledWith(name, { up: 3, inFlight: 1 })).toEqual([])
    await operate(name, 'maintenance')
    expect(await scaledWith(name, { up: 2 })).toEqual([0])
    await operate(name, 'resume')
    await scaleAgent(embedded.platform, caller, id, { instances: 99 })
    expect(await scaledWith(name, { up: 0 })).toEqual([3])
  })
})

describe('every minute', () => {
  it('scales although the sweep fails, and fails with it', async () => {
    const { platform, scaled } = aHost({ up: 0 })
    const query: Platform['main']['query'] = () => Promise.reject(new Error('the index is throttled'))
    const broken = { ...platform, main: { ...platform.main, query } }
    await expect(everyMinute(broken, hosted('not-yet'))).rejects.toThrow('the index is throttled')
    expect(scaled).toEqual([1])
  })
})
