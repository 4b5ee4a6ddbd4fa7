import { afterAll, beforeAll, expect, it } from 'vitest'
import { checkInput } from '#functions/api/check-input.ts'
import type { Caller } from '#shared/domain/caller.ts'
import { newId } from '#shared/domain/ids.ts'
import { countLetters } from '#shared/domain/inboxes/letter-store.ts'
import { receiveLetters } from '#shared/domain/inboxes/receive-letters.ts'
import { acknowledgeLetters } from '#shared/domain/inboxes/settle-letters.ts'
import { sendMessage } from '#shared/domain/messages/send-message.ts'
import { makeQueue } from '#shared/domain/queues/change-queue.ts'
import { inboxOf } from '#shared/domain/queues/queue.ts'
import { makeSubscription } from '#shared/domain/topics/change-subscription.ts'
import { publish } from '#shared/domain/topics/publish.ts'
import { attendPublication } from '#shared/domain/topics/spread.ts'
import { listMatches } from '#shared/domain/topics/topic-store.ts'
import type { Platform } from '#shared/platform/platform.ts'
import { deathsAmong, dying } from '#test/support/dying-platform.ts'
import { aPlatform } from '#test/support/embedded.ts'
import { aSkewedClock } from '#test/support/skewed-clock.ts'

const caller: Caller = { tenant: 'default', principal: { kind: 'key', id: 'k', role: 'admin' }, requestId: 'r' }
const by = { actor: 'test', action: 'test', request: 'test' }
const clock = aSkewedClock()
let platform: Platform
let close: () => Promise<void>
beforeAll(async () => {
  const opened = await aPlatform(undefined, clock)
  platform = opened.platform
  close = opened.close
})
afterAll(() => close())

let names = 0
const aQueue = async () => {
  const name = `queue-${++names}`
  const queue = await makeQueue(platform, caller, { name, visibilitySeconds: 30, maxReceives: 5 })
  return { name, inbox: inboxOf(queue) }
}

it('a spread that breaks off at any write gives every subscription its match once, and their queue its message', async () => {
  for (const { last, stored } of deathsAmong(12)) {
    const { name: topic, inbox } = await aQueue()
    const targets = [{ queue: topic }, { queue: topic }, { capability: 'nobody', input: 'data' as const }]
    const subscriptions = await Promise.all(
      targets.map(async (target) => (await makeSubscription(platform, caller, { topic, target })).value.id),
    )
    const envelope = { id: newId('msg', platform), source: 'test', type: 'x', time: clock.now() }
    const publication = await publish(platform, 'default', { topic, envelope, data: { big: 'x'.repeat(1000) } }, by)
    await attendPublication(dying(platform, last, stored), { checkInput }, publication).catch(() => undefined)
    for (let look = 0; look < 3; look++) {
      clock.forward(31_000)
      await attendPublication(platform, { checkInput }, publication)
    }
    const about = `death at write ${last}, ${stored ? 'stored' : 'not stored'}`
    const matches = await Promise.all(
      subscriptions.map(async (subscription) => {
        const page = await listMatches(platform, { tenant: 'default', subscription, limit: 10 })
        return page.items.map(({ value }) => value.state)
      }),
    )
    expect(matches, about).toEqual([['DELIVERED'], ['DELIVERED'], ['DELIVERED']])
    expect(await countLetters(platform, inbox), about).toMatchObject({ waiting: 1 })
  }
})

it('a message to a queue that breaks off at any write is one message when it is sent again', async () => {
  for (const { last, stored } of deathsAmong(4)) {
    const { name: queue, inbox } = await aQueue()
    const message = {
      kind: 'event' as const,
      to: { queue },
      type: 'x',
      data: { big: 'x'.repeat(1000) },
      passed: [],
      idempotencyKey: queue,
    }
    await sendMessage(dying(platform, last, stored), caller, message).catch(() => undefined)
    await sendMessage(platform, caller, message)
    const got = await receiveLetters(platform, inbox, { max: 10, waitMs: 0 })
    expect(got, `death at write ${last}, ${stored ? 'stored' : 'not stored'}`).toHaveLength(1)
  }
})

it('a message whose receiver breaks off at any write comes again, and never after it was acknowledged', async () => {
  for (const { last, stored } of deathsAmong(4)) {
    const { name: queue, inbox } = await aQueue()
    await sendMessage(platform, caller, { kind: 'event', to: { queue }, type: 'x', data: 1, passed: [] })
    const work = async (ports: Platform): Promise<boolean> => {
      const [one] = await receiveLetters(ports, inbox, { max: 1, waitMs: 0 })
      if (one) await acknowledgeLetters(ports, inbox, [one.letter.receipt ?? ''])
      return one !== undefined
    }
    const isDone = await work(dying(platform, last, stored)).catch(() => false)
    clock.forward(31_000)
    const comesAgain = await work(platform)
    const about = `death at write ${last}, ${stored ? 'stored' : 'not stored'}`
    if (isDone) expect(comesAgain, about).toBe(false)
    clock.forward(31_000)
    expect(await work(platform), about).toBe(false)
    expect(await countLetters(platform, inbox), about).toEqual({ waiting: 0, inFlight: 0, dead: 0 })
  }
})
