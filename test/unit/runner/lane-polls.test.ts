import { getEventListeners } from 'node:events'
import type { Message } from '@aws-sdk/client-sqs'
import { describe, expect, it } from 'vitest'
import { createLanePolls, type Lane } from '#agent/runner/lane-polls.ts'

const laneOf = (lane: string, keepFree = 0): Lane => ({ lane, address: `https://${lane}`, keepFree })
const lanes = [laneOf('urgent'), laneOf('high'), laneOf('normal', 1), laneOf('low', 2)]
const aMessage = (id: string, sentSecondsAgo = 0): Message => ({
  Body: id,
  Attributes: { SentTimestamp: String(Date.now() - sentSecondsAgo * 1000) },
})

/** Lanes in which messages lie; what is given back lies there again. */
const somePolls = (waiting: Record<string, Message[]>) => {
  const givenBack: string[] = []
  const polled: string[] = []
  const pending = new Map<string, (messages: Message[]) => void>()
  const polls = createLanePolls({
    receive: ({ lane }, max) => {
      polled.push(lane)
      const messages = waiting[lane]?.splice(0, max) ?? []
      return messages.length > 0 ? Promise.resolve(messages) : new Promise((resolve) => pending.set(lane, resolve))
    },
    giveBack: ({ lane: { lane }, message }) => {
      givenBack.push(message.Body ?? '')
      const poll = pending.get(lane)
      pending.delete(lane)
      if (poll) poll([message])
      else waiting[lane]?.unshift(message)
    },
  })
  const next = async (max: number, free: number | (() => number) = max, waitSeconds = 0.03): Promise<string[]> => {
    const { signal } = new AbortController()
    const slots = typeof free === 'number' ? () => free : free
    const arrived = await polls.next({ lanes, max, free: slots, waitSeconds, signal })
    return arrived.map(({ message }) => message.Body ?? '')
  }
  return { next, givenBack, polled }
}

it('polls of lanes leave no listener on a signal that outlives them', async () => {
  const polls = createLanePolls({ receive: async () => [], giveBack: () => undefined })
  const { signal } = new AbortController()
  await polls.next({ lanes, max: 1, free: () => 1, waitSeconds: 0.05, signal })
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

describe('what came', () => {
  it('is taken from the highest lanes, and the rest is given back', async () => {
    const { next, givenBack } = somePolls({ low: [aMessage('l')], urgent: [aMessage('u')], normal: [aMessage('n')] })
    expect(await next(2, 10)).toEqual(['u', 'n'])
    expect(givenBack).toEqual(['l'])
  })

  it('does not take the slots that are kept for higher lanes', async () => {
    const { next, polled } = somePolls({ low: [aMessage('l1'), aMessage('l2')], normal: [aMessage('n')] })
    expect(await next(1)).toEqual([])
    expect(polled).toEqual(['urgent', 'high'])
    expect(await next(1, 2)).toEqual(['n'])
    expect(await next(1, 2)).toEqual([])
    expect(await next(1, 3)).toEqual(['l1'])
  })

  it('is taken as soon as slots become free during the wait', async () => {
    const { next } = somePolls({ normal: [aMessage('n')] })
    const began = performance.now()
    expect(await next(1, () => (performance.now() - began > 100 ? 2 : 1), 5)).toEqual(['n'])
    expect(performance.now() - began).toBeLessThan(2000)
  })

  it('goes first, once in ten, when it waited too long in a lower lane', async () => {
    const many = (name: string, count: number, age = 0) =>
      Array.from({ length: count }, (_, at) => aMessage(`${name}${at}`, age))
    const { next } = somePolls({ normal: many('n', 40), low: many('old', 3, 31) })
    const order: string[] = []
    while (order.length < 30) order.push(...(await next(1, 3)))
    const places = order.flatMap((id, at) => (id.startsWith('old') ? [at] : []))
    expect(places.length).toBeGreaterThanOrEqual(2)
    for (const [at, place] of places.slice(1).entries()) expect(place - (places[at] ?? 0)).toBeGreaterThanOrEqual(10)
  })
})
