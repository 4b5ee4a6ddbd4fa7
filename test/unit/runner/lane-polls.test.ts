import { getEventListeners } from 'node:events'
import { expect, it } from 'vitest'
import { createLanePolls } from '#agent/runner/lane-polls.ts'

it('polls of lanes leave no listener on a signal that outlives them', async () => {
  const polls = createLanePolls({ receive: async () => [], giveBack: () => undefined })
  const { signal } = new AbortController()
  const lanes = [{ lane: 'normal', address: 'a' }]
  await polls.next({ lanes, max: 1, waitSeconds: 0.05, signal })
  expect(getEventListeners(signal, 'abort')).toEqual([])
})
