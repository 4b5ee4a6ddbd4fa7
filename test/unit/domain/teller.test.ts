import { expect, it } from 'vitest'
import { createTeller } from '#shared/domain/realtime/teller.ts'
import type { Change, Clock } from '#shared/platform/platform.ts'
import { aPlatform } from '#test/support/embedded.ts'

const change: Change = {
  id: '1',
  type: 'agent',
  key: { pk: 'acme#agent#agt_1', sk: 'head' },
  after: { pk: 'acme#agent#agt_1', sk: 'head', type: 'agent', rev: '1', value: { id: 'agt_1' } },
}

it('tells within its pause also after the clock was set back', async () => {
  const { platform, close } = await aPlatform()
  const slept: number[] = []
  let now = Date.now()
  const clock: Clock = { ...platform.clock, now: () => now, sleep: async (ms) => void slept.push(ms) }
  const teller = createTeller({ ...platform, clock })
  await teller.note([change])
  now -= 3_600_000
  await teller.note([change])
  expect(slept).toEqual([250])
  await close()
})
