import { expect, it } from 'vitest'
import { admit } from '#shared/domain/limits/admit.ts'
import type { Platform, Table, Telemetry } from '#shared/platform/platform.ts'
import { atOnce, scheduledPorts } from '#test/model/scheduled-ports.ts'
import { aTask } from '#test/support/builders.ts'

it('what cannot be given back after a failure is said, and the failure is told', async () => {
  const { ports, main } = scheduledPorts(atOnce)
  const limits = { tenant: { concurrency: 5, rate: { count: 5, seconds: 1 } } }
  main.write({ op: 'put', item: { pk: 'default#limits', sk: 'head', type: 'limits', value: limits }, expect: 'any' })
  const volatile: Table = {
    ...ports.volatile,
    async write(write) {
      if (write.op === 'put' && write.item.type === 'limit-place') return ports.volatile.write(write)
      throw new Error(write.op === 'delete' ? 'nothing is taken back' : 'no token')
    },
  }
  const said: unknown[] = []
  const telemetry = { ...ports.telemetry, log: (...line: unknown[]) => void said.push(line) } as Telemetry
  await expect(admit({ ...ports, volatile, telemetry } as Platform, aTask())).rejects.toThrow('no token')
  expect(said).toEqual([
    ['warn', expect.stringContaining('recount'), { task: aTask().id, error: 'Error: nothing is taken back' }],
  ])
})
