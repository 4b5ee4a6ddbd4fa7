import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Inbox, positionOf } from '#shared/domain/inboxes/letter.ts'
import { countLetters } from '#shared/domain/inboxes/letter-store.ts'
import { receiveLetters } from '#shared/domain/inboxes/receive-letters.ts'
import { acknowledgeMessages, acknowledgeUpTo } from '#shared/domain/messages/acknowledge-mailbox.ts'
import { deliverMessage } from '#shared/domain/messages/deliver-message.ts'
import { redriveMail } from '#shared/domain/messages/redrive-mailbox.ts'
import type { Platform } from '#shared/platform/platform.ts'
import { aPlatform } from '#test/support/embedded.ts'
import { aCarrier, anInbox } from '#test/support/letters.ts'
import { aSetClock } from '#test/support/set-clock.ts'

const clock = aSetClock()
let platform: Platform
let close: () => Promise<void>
beforeAll(async () => {
  const opened = await aPlatform(undefined, clock)
  platform = opened.platform
  close = opened.close
})
afterAll(() => close())

/** What a mailbox promises of one message, in so few words that it can be seen to be right. */
type Known = {
  id: string
  conversation?: string
  state: 'WAITING' | 'DONE' | 'DEAD'
  receives: number
  visibleAt: number
  endsAt: number
  position?: string
}
type World = { inbox: Inbox; all: Known[] }

/** Its turn has come: nothing of its conversation that came before it waits. */
const isFirst = ({ all }: World, one: Known): boolean =>
  one.conversation === undefined ||
  all.find(({ conversation, state }) => conversation === one.conversation && state === 'WAITING') === one

const hiddenMs = ({ visibilityMs, backOffMs = 0 }: Inbox, receives: number): number =>
  visibilityMs + (receives > 1 ? backOffMs * 2 ** (receives - 2) : 0)

/** What a look at the mailbox hands out. What is over by then is dead, and what comes after it has its turn at the next look. */
const lookAt = (world: World): Known[] => {
  const now = clock.now()
  const turns = world.all.filter((one) => one.state === 'WAITING' && one.visibleAt <= now && isFirst(world, one))
  for (const one of turns) if (one.endsAt <= now || one.receives >= world.inbox.mostReceives) one.state = 'DEAD'
  return turns.filter(({ state }) => state === 'WAITING')
}

type Step = { name: string; run: (world: World) => Promise<void> }

const settle = (known: Known[]): string[] =>
  known.map((one) => {
    one.state = 'DONE'
    return one.id
  })

const send = fc
  .record({
    conversation: fc.constantFrom(undefined, 'a', 'b'),
    lives: fc.constantFrom(40_000, 1_000_000_000),
    again: fc.boolean(),
  })
  .map(
    ({ conversation, lives, again }): Step => ({
      name: `send to ${conversation ?? 'nobody in particular'} for ${lives} ms${again ? ', twice' : ''}`,
      async run({ inbox, all }) {
        const expiresAt = clock.now() + lives
        const carrier = aCarrier(platform, { expiresAt, ...(conversation && { conversation }) })
        const copies = Array.from({ length: again ? 2 : 1 }, () => deliverMessage(platform, carrier, inbox))
        expect((await Promise.all(copies)).filter(Boolean)).toHaveLength(1)
        const { id } = carrier.envelope
        all.push({ id, conversation, state: 'WAITING', receives: 0, visibleAt: clock.now(), endsAt: expiresAt })
      },
    }),
  )

const receive: Step = {
  name: 'receive',
  async run(world) {
    const got = await receiveLetters(platform, world.inbox, { max: 100, waitMs: 0 })
    const due = lookAt(world).map(({ id }) => id)
    expect(got.map(({ event }) => event.id).toSorted()).toEqual(due.toSorted())
    for (const { letter, event } of got) {
      const one = world.all.find(({ id }) => id === event.id) as Known
      one.receives++
      expect(letter.receives).toBe(one.receives)
      one.visibleAt = clock.now() + hiddenMs(world.inbox, one.receives)
      one.position = positionOf(letter)
    }
  },
}

const acknowledge = fc.nat(9).map(
  (nth): Step => ({
    name: `acknowledge the message ${nth}`,
    async run({ inbox, all }) {
      const one = all[nth]
      if (one === undefined) return
      const done = await acknowledgeMessages(platform, inbox, [one.id])
      expect(done).toEqual(one.state === 'DEAD' ? [] : [one.id])
      if (one.state === 'WAITING') settle([one])
    },
  }),
)

const acknowledgeAll = fc.nat(9).map(
  (nth): Step => ({
    name: `acknowledge up to the message ${nth}`,
    async run({ inbox, all }) {
      const { position } = all[nth] ?? {}
      if (position === undefined) return
      const now = clock.now()
      const held = all.filter(
        (one) =>
          one.state === 'WAITING' && one.visibleAt > now && one.position !== undefined && one.position <= position,
      )
      const done = await acknowledgeUpTo(platform, inbox, position)
      expect(done.toSorted()).toEqual(settle(held).toSorted())
    },
  }),
)

const redrive: Step = {
  name: 'redrive',
  async run({ inbox, all }) {
    const dead = all.filter(({ state }) => state === 'DEAD')
    expect(await redriveMail(platform, inbox, undefined)).toBe(dead.length)
    for (const one of dead)
      Object.assign(one, {
        state: 'WAITING',
        conversation: undefined,
        receives: 0,
        visibleAt: clock.now(),
        endsAt: Number.POSITIVE_INFINITY,
      })
  },
}

const pass = fc
  .constantFrom(1000, 10_000, 35_000, 120_000)
  .map((ms): Step => ({ name: `${ms} ms pass`, run: async () => clock.forward(ms) }))

const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: send },
    { weight: 4, arbitrary: fc.constant(receive) },
    { weight: 3, arbitrary: acknowledge },
    { weight: 1, arbitrary: acknowledgeAll },
    { weight: 1, arbitrary: fc.constant(redrive) },
    { weight: 3, arbitrary: pass },
  ),
  { minLength: 10, maxLength: 40, size: 'max' },
)

const countsOf = ({ all }: World) => {
  const now = clock.now()
  const inFlight = all.filter(({ state, visibleAt }) => state === 'WAITING' && visibleAt > now).length
  const open = all.filter(({ state }) => state === 'WAITING').length
  return { waiting: open - inFlight, inFlight, dead: all.filter(({ state }) => state === 'DEAD').length }
}

it('a mailbox hands out in order per conversation, at least once and never after it was acknowledged, until its time is over', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const world: World = { inbox: anInbox(platform, { backOffMs: 1000, mostReceives: 2 }), all: [] }
      for (const step of all) {
        clock.forward(1)
        await step.run(world)
        expect(await countLetters(platform, world.inbox), step.name).toEqual(countsOf(world))
      }
    }),
    { numRuns: 60 },
  )
}, 120_000)
