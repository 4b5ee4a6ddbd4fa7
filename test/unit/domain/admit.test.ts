import { expect, it } from 'vitest'
import type { Instance } from '#shared/domain/instances/instance.ts'
import { admit } from '#shared/domain/limits/admit.ts'
import { placesTaken } from '#shared/domain/limits/places.ts'
import { claim } from '#shared/domain/tasks/claim-task.ts'
import { createTask, findTask } from '#shared/domain/tasks/task-store.ts'
import type { Platform, Table, Telemetry } from '#shared/platform/platform.ts'
import { PlatformError } from '#shared/platform/platform-error.ts'
import { atOnce, scheduledPorts } from '#test/model/scheduled-ports.ts'
import { aTask } from '#test/support/builders.ts'

/** Ports of a tenant whose tasks are limited. */
const aLimitedWorld = () => {
  const world = scheduledPorts(atOnce)
  const limits = { tenant: { concurrency: 5, rate: { count: 5, seconds: 1 } } }
  const item = { pk: 'default#limits', sk: 'head', type: 'limits', value: limits }
  world.main.write({ op: 'put', item, expect: 'any' })
  return world
}

it('what cannot be given back after a failure is said, and the failure is told', async () => {
  const { ports } = aLimitedWorld()
  const volatile: Table = {
    ...ports.volatile,
    async transact(writes) {
      if (writes.some(({ op }) => op === 'delete')) throw new Error('nothing is taken back')
      return ports.volatile.transact(writes)
    },
    async write() {
      throw new Error('no token')
    },
  }
  const said: unknown[] = []
  const telemetry = { ...ports.telemetry, log: (...line: unknown[]) => void said.push(line) } as Telemetry
  await expect(admit({ ...ports, volatile, telemetry } as Platform, aTask())).rejects.toThrow('no token')
  expect(said).toEqual([
    ['warn', expect.stringContaining('recount'), { task: aTask().id, error: 'Error: nothing is taken back' }],
  ])
})

it('a place whose answer was lost is given back at once', async () => {
  const { ports } = aLimitedWorld()
  let answers = 0
  const volatile: Table = {
    ...ports.volatile,
    async transact(writes) {
      const outcome = await ports.volatile.transact(writes)
      if (answers++ === 0) throw new PlatformError('UNAVAILABLE', 'the answer was lost')
      return outcome
    },
  }
  await expect(admit({ ...ports, volatile }, aTask())).rejects.toThrow('the answer was lost')
  expect([answers, await placesTaken(ports, 'default', 'lim.tenant')]).toEqual([2, 0])
})

it('nobody starts on a place that was taken so long ago that a recount may have given it away', async () => {
  const { ports, forward } = aLimitedWorld()
  const target = { agent: 'agt_00000000000000000000000001', agentName: 'slow', version: '1.0.0' }
  const task = aTask({ createdAt: ports.clock.now(), deadline: ports.clock.now() + 3_600_000, target })
  await createTask(ports, task, [])
  const volatile: Table = {
    ...ports.volatile,
    async transact(writes) {
      const outcome = await ports.volatile.transact(writes)
      if (writes.some(({ op }) => op === 'put')) forward(16_000)
      return outcome
    },
  }
  const instance = { id: 'a', tenant: 'default', labels: {}, slots: 9, agent: target.agent, version: '1.0.0' }
  const claimed = claim({ ...ports, volatile }, instance as unknown as Instance, task.id)
  await expect(claimed).rejects.toMatchObject({ code: 'CONTENDED' })
  expect((await findTask(ports, 'default', task.id))?.value.status).toBe('QUEUED')
  expect(await placesTaken(ports, 'default', 'lim.tenant')).toBe(0)
})
