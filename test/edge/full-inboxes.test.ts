import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DomainError } from '#shared/domain/domain-error.ts'
import type { Inbox } from '#shared/domain/inboxes/letter.ts'
import { countLetters } from '#shared/domain/inboxes/letter-store.ts'
import { receiveLetters } from '#shared/domain/inboxes/receive-letters.ts'
import { acknowledgeMessages } from '#shared/domain/messages/acknowledge-mailbox.ts'
import { deliverMessage } from '#shared/domain/messages/deliver-message.ts'
import { redriveMail } from '#shared/domain/messages/redrive-mailbox.ts'
import type { Platform } from '#shared/platform/platform.ts'
import type { TestApi } from '#test/support/api.ts'
import { apiHosts } from '#test/support/api-hosts.ts'
import { dying } from '#test/support/dying-platform.ts'
import { aPlatform } from '#test/support/embedded.ts'
import { aCarrier, anInbox } from '#test/support/letters.ts'
import { aSetClock } from '#test/support/set-clock.ts'

/** What became of each: stored, or the code that it was refused with. */
const sendMany = (platform: Platform, inbox: Inbox, many: number): Promise<string[]> =>
  Promise.all(
    Array.from({ length: many }, async () => {
      try {
        return (await deliverMessage(platform, aCarrier(platform), inbox)) ? 'stored' : 'there'
      } catch (error) {
        return error instanceof DomainError ? error.code : String(error)
      }
    }),
  )
const count = (all: string[], what: string): number => all.filter((one) => one === what).length

let api: TestApi
describe.each(apiHosts)('an inbox that is nearly full on $host', ({ open }) => {
  beforeAll(async () => {
    api = await open()
  })
  afterAll(() => api?.close())

  it('takes exactly what there is room for of many that are sent at once, and refuses the others', async () => {
    const { platform } = api
    const inbox = anInbox(platform, { most: 100 })
    expect(count(await sendMany(platform, inbox, 92), 'stored')).toBe(92)
    const outcomes = await sendMany(platform, inbox, 30)
    expect([count(outcomes, 'stored'), count(outcomes, 'MAILBOX_FULL')]).toEqual([8, 22])
    expect(await countLetters(platform, inbox)).toMatchObject({ waiting: 100, inFlight: 0 })

    const got = await receiveLetters(platform, inbox, { max: 5, waitMs: 0 })
    await acknowledgeMessages(
      platform,
      inbox,
      got.map(({ event }) => event.id),
    )
    const again = await sendMany(platform, inbox, 30)
    expect([count(again, 'stored'), count(again, 'MAILBOX_FULL')]).toEqual([5, 25])
  })

  it('takes a message that comes again without another place', async () => {
    const { platform } = api
    const inbox = anInbox(platform, { most: 2 })
    const carrier = aCarrier(platform)
    const outcomes = await Promise.all([1, 2, 3, 4].map(() => deliverMessage(platform, carrier, inbox)))
    expect(outcomes.filter(Boolean)).toHaveLength(1)
    expect(await sendMany(platform, inbox, 3)).toHaveLength(3)
    expect(await countLetters(platform, inbox)).toMatchObject({ waiting: 2 })
  })

  it('wakes whoever waits for a message', async () => {
    const { platform } = api
    const inbox = anInbox(platform, { most: 1 })
    const waiting = receiveLetters(platform, inbox, { max: 1, waitMs: 15_000 })
    await sendMany(platform, inbox, 1)
    expect(await waiting).toHaveLength(1)
  })
})

describe('an inbox', () => {
  const clock = aSetClock()
  let platform: Platform
  let close: () => Promise<void>
  beforeAll(async () => {
    const opened = await aPlatform(undefined, clock)
    platform = opened.platform
    close = opened.close
  })
  afterAll(() => close())

  it('that a death left counted too high has room again when it was looked at twice', async () => {
    const inbox = anInbox(platform, { most: 5 })
    expect(count(await sendMany(platform, inbox, 4), 'stored')).toBe(4)
    await expect(deliverMessage(dying(platform, 1, false), aCarrier(platform), inbox)).rejects.toThrow('process ended')
    const looks = []
    for (let look = 0; look < 3; look++) {
      looks.push(...(await sendMany(platform, inbox, 1)))
      clock.forward(11_000)
    }
    expect(looks).toEqual(['MAILBOX_FULL', 'stored', 'MAILBOX_FULL'])
    expect(await countLetters(platform, inbox)).toMatchObject({ waiting: 5 })
  })

  it('makes a dead letter of what was received five times, with the reason, which waits again when redriven while there is room', async () => {
    const inbox = anInbox(platform, { most: 2, backOffMs: 1000 })
    const carrier = aCarrier(platform)
    await deliverMessage(platform, carrier, inbox)
    const seen: number[] = []
    for (let round = 0; round < 6; round++) {
      const [got] = await receiveLetters(platform, inbox, { max: 10, waitMs: 0 })
      if (got) seen.push(got.letter.receives)
      clock.forward(30_000 + 1000 * 2 ** round)
    }
    expect(seen).toEqual([1, 2, 3, 4, 5])
    expect(await countLetters(platform, inbox)).toEqual({ waiting: 0, inFlight: 0, dead: 1 })
    expect(await deliverMessage(platform, carrier, inbox)).toBe(false)
    await sendMany(platform, inbox, 2)
    expect(await redriveMail(platform, inbox, undefined)).toBe(0)
    const others = await receiveLetters(platform, inbox, { max: 10, waitMs: 0 })
    await acknowledgeMessages(
      platform,
      inbox,
      others.map(({ event }) => event.id),
    )
    expect(await redriveMail(platform, inbox, [carrier.envelope.id])).toBe(1)
    const [again] = await receiveLetters(platform, inbox, { max: 10, waitMs: 0 })
    expect(again).toMatchObject({ letter: { receives: 1 }, event: { id: carrier.envelope.id } })
  })
})
