import { expect, it } from 'vitest'
import { createDueTimer } from '#shared/platform/embedded/workflows/due-timer.ts'
import { duePk, padded } from '#shared/platform/embedded/workflows/rows.ts'
import type { RunTable } from '#shared/platform/embedded/workflows/run-store.ts'
import type { Clock } from '#shared/platform/platform.ts'
import { atOnce, scheduledPorts } from '#test/model/scheduled-ports.ts'
import { eventually } from '#test/support/eventually.ts'

const clock = {
  now: Date.now,
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, ms)
      signal?.addEventListener('abort', () => {
        clearTimeout(timer)
        reject(new Error('nothing to wait for'))
      })
    }),
} as Clock

it('what comes due behind hundreds of things that cannot be attended is attended', async () => {
  const { ports, main } = scheduledPorts(atOnce)
  const due = (name: string, at: number): void => {
    const index = { due: { pk: duePk, sk: `${padded(at)}#${name}` } }
    main.write({ op: 'put', item: { pk: name, sk: 'head', type: 'run-frame', value: 1, index }, expect: 'any' })
  }
  for (let n = 0; n < 450; n++) due(`broken-${n}`, 1000 + n)
  due('whole', 5000)
  const attended: string[] = []
  const timer = createDueTimer({
    table: ports.main as unknown as RunTable,
    clock,
    telemetry: ports.telemetry,
    async attend({ pk, sk }) {
      if (pk !== 'whole') throw new Error('broken')
      attended.push(pk)
      await ports.main.write({ op: 'delete', key: { pk, sk }, expect: 'any' })
    },
  })
  timer.start()
  await eventually(() => expect(attended).toEqual(['whole']))
  await timer.close()
})
