import { afterAll, beforeAll, describe, expect } from 'vitest'
import type { AgentHosts, HostedAgent, HostedInstance } from '#shared/platform/platform.ts'
import { eventually } from '#test/support/eventually.ts'
import { type Cannot, contractTest } from './contract-test.ts'

export type HostsUnderTest = {
  hosts: AgentHosts
  /** An agent that runs until it is told to stop; another one each time. */
  anAgent: () => HostedAgent
  /** Ends an instance as a crash would. */
  crash: (id: string) => void | Promise<void>
  close: () => Promise<void>
}

const isUp = ({ state }: HostedInstance): boolean => state === 'STARTING' || state === 'RUNNING'
const idsOf = (instances: HostedInstance[]): string[] => instances.map(({ id }) => id)

/** What `AgentHosts` promises. */
export const agentHostsContract = (
  name: string,
  make: () => Promise<HostsUnderTest>,
  { cannot }: { cannot?: Cannot } = {},
): void => {
  describe(`agent hosts: ${name}`, () => {
    const it = contractTest(cannot)
    const context: { made?: HostsUnderTest } = {}
    const made = (): HostsUnderTest => {
      if (context.made === undefined) throw new Error('the hosts are made before the tests run')
      return context.made
    }
    beforeAll(async () => {
      context.made = await make()
    })
    afterAll(() => context.made?.close())

    const up = async (agent: HostedAgent): Promise<HostedInstance[]> =>
      (await made().hosts.instances(agent)).filter(isUp)
    const eventuallyUp = (agent: HostedAgent, count: number): Promise<HostedInstance[]> =>
      eventually(async () => {
        const instances = await up(agent)
        expect(instances).toHaveLength(count)
        return instances
      })
    const eventuallyRunning = (agent: HostedAgent, count: number): Promise<HostedInstance[]> =>
      eventually(async () => {
        const instances = await up(agent)
        expect(instances.map(({ state }) => state)).toEqual(Array.from({ length: count }, () => 'RUNNING'))
        return instances
      })

    it('has no instances of what was never scaled', async () => {
      expect(await made().hosts.instances(made().anAgent())).toEqual([])
    })

    it('makes as many instances run as are wanted, more and less', async () => {
      const { hosts, anAgent } = made()
      const agent = anAgent()
      const before = Date.now()
      await hosts.scale(agent, 2)
      const two = await eventuallyRunning(agent, 2)
      expect(new Set(idsOf(two)).size).toBe(2)
      for (const { startedAt } of two) expect(startedAt).toBeGreaterThanOrEqual(before - 5000)
      await hosts.scale(agent, 2)
      expect(idsOf(await up(agent)).toSorted()).toEqual(idsOf(two).toSorted())
      await hosts.scale(agent, 1)
      const [left] = await eventuallyUp(agent, 1)
      expect(idsOf(two)).toContain(left?.id)
      await hosts.scale(agent, 0)
      await eventuallyUp(agent, 0)
    })

    it('keeps agents apart, and versions of one', async () => {
      const { hosts, anAgent } = made()
      const [first, second] = [anAgent(), anAgent()]
      await hosts.scale(first, 1)
      await hosts.scale(second, 1)
      const [one] = await eventuallyUp(first, 1)
      const [two] = await eventuallyUp(second, 1)
      expect(one?.id).not.toBe(two?.id)
      await hosts.scale(first, 0)
      await eventuallyUp(first, 0)
      expect(idsOf(await up(second))).toEqual([two?.id])
      await hosts.scale(second, 0)
      await eventuallyUp(second, 0)
    })

    it('starts another instance when one has crashed', async () => {
      const { hosts, anAgent, crash } = made()
      const agent = anAgent()
      await hosts.scale(agent, 1)
      const [first] = await eventuallyRunning(agent, 1)
      await crash(first?.id ?? '')
      await eventually(async () => {
        const [next, ...rest] = await up(agent)
        expect(rest).toEqual([])
        expect(next?.state).toBe('RUNNING')
        expect(next?.id).not.toBe(first?.id)
      })
      await hosts.scale(agent, 0)
      await eventuallyUp(agent, 0)
    })

    it('ends an instance at once, or lets it finish; again does no harm', async () => {
      const { hosts, anAgent } = made()
      const agent = anAgent()
      await hosts.scale(agent, 2)
      const [stopped, drained] = idsOf(await eventuallyRunning(agent, 2))
      await hosts.stop(stopped ?? '')
      await hosts.drain(drained ?? '')
      await eventually(async () => {
        const ids = idsOf((await hosts.instances(agent)).filter(({ state }) => state !== 'STOPPED'))
        expect(ids).not.toContain(stopped)
        expect(ids).not.toContain(drained)
      })
      await hosts.stop(stopped ?? '')
      await hosts.drain(drained ?? '')
      await hosts.scale(agent, 0)
      await eventuallyUp(agent, 0)
    })

    it('protects an instance, and lifts the protection', async () => {
      const { hosts, anAgent } = made()
      const agent = anAgent()
      await hosts.scale(agent, 1)
      const [instance] = await eventuallyRunning(agent, 1)
      await hosts.protect(instance?.id ?? '', 30)
      await hosts.protect(instance?.id ?? '', 0)
      expect(idsOf(await up(agent))).toEqual([instance?.id])
      await hosts.scale(agent, 0)
      await eventuallyUp(agent, 0)
    })
  })
}
