import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMemoryQueues } from '#shared/platform/embedded/memory-queues.ts'
import type { Queues, Received } from '#shared/platform/platform.ts'
import { aSkewedClock } from '#test/support/skewed-clock.ts'

const lanes = ['urgent', 'high', 'normal', 'low']
const aging = { afterSeconds: 30, oneIn: 10 }
const groups = ['a', 'b', 'c']
const receivers = ['i', 'j']

/** What a model knows of a message. */
type Known = { body: string; lane: string; group: string; order: number; seq: number; for?: string; since: number }
type Delivered = { message: Received; known: Known }
type Model = { waiting: Map<string, Known>; inFlight: Delivered[]; seq: number; sinceOverdue: number }
type Real = { queues: Queues; clock: ReturnType<typeof aSkewedClock> }

const isFor = (receiver: string) => (known: Known) => known.for === undefined || known.for === receiver

/** Among what the receiver could have had, nothing of the same group, lane and shelf should have come first. */
const expectFirst = (model: Model, { known }: Delivered): void => {
  for (const other of model.waiting.values())
    if (other.lane === known.lane && other.group === known.group && other.for === known.for)
      expect(known.order < other.order || (known.order === other.order && known.seq < other.seq)).toBe(true)
}

/** It came from the highest lane that had something, or it was overdue and no more than one in ten were. */
const expectLane = (model: Model, { known }: Delivered, open: Known[], now: number): void => {
  const highest = Math.min(...open.map(({ lane }) => lanes.indexOf(lane)))
  const lane = lanes.indexOf(known.lane)
  const oldest = Math.min(...open.filter((one) => one.lane === known.lane).map(({ since }) => since))
  if (lane === highest) {
    const overdue = open.some((one) => lanes.indexOf(one.lane) > highest && now - one.since >= 30_000)
    expect(overdue && model.sinceOverdue >= 9).toBe(false)
    model.sinceOverdue++
    return
  }
  expect(now - oldest).toBeGreaterThanOrEqual(30_000)
  expect(model.sinceOverdue).toBeGreaterThanOrEqual(9)
  model.sinceOverdue = 0
}

const send = (known: Omit<Known, 'seq' | 'since'>) => ({
  check: () => true,
  async run(model: Model, { queues, clock }: Real) {
    const { body, lane, group, order, for: receiver } = known
    await queues.send(lane, [{ body: `${lane}${body}`, group, order, for: receiver }])
    const before = model.waiting.get(`${lane}${body}`)
    const same = before?.for === receiver && before?.order === order
    const moved = { for: receiver, order, since: same ? before?.since : clock.now() }
    const added = { ...known, body: `${lane}${body}`, seq: ++model.seq, since: clock.now() }
    model.waiting.set(`${lane}${body}`, before ? ({ ...before, ...moved } as Known) : added)
  },
  toString: () => `send ${JSON.stringify(known)}`,
})

const receive = (receiver: string, max: number) => ({
  check: () => true,
  async run(model: Model, { queues, clock }: Real) {
    const received = await queues.receive({
      queues: lanes,
      max,
      waitSeconds: 0,
      visibilitySeconds: 1e6,
      receiver,
      aging,
    })
    const open = [...model.waiting.values()].filter(isFor(receiver))
    expect(received).toHaveLength(Math.min(max, open.length))
    for (const message of received) {
      const known = model.waiting.get(message.body)
      expect(known).toBeDefined()
      if (known === undefined) return
      expectLane(model, { message, known }, [...model.waiting.values()].filter(isFor(receiver)), clock.now())
      model.waiting.delete(message.body)
      expectFirst(model, { message, known })
      model.inFlight.push({ message, known })
    }
  },
  toString: () => `receive ${max} for ${receiver}`,
})

const settle = (which: number, how: 'delete' | 'release') => ({
  check: (model: Readonly<Model>) => model.inFlight.length > 0,
  async run(model: Model, { queues, clock }: Real) {
    const [delivered] = model.inFlight.splice(which % model.inFlight.length, 1)
    if (delivered === undefined) return
    const { message, known } = delivered
    await queues[how]([message])
    if (how === 'delete') return
    const there = model.waiting.get(known.body)
    const stays = there && (there.seq >= known.seq || (there.for === known.for && there.order === known.order))
    const { for: receiver, order } = known
    if (!stays) model.waiting.set(known.body, { ...(there ?? known), for: receiver, order, since: clock.now() })
  },
  toString: () => `${how} ${which}`,
})

const pass = (seconds: number) => ({
  check: () => true,
  async run(_: Model, { clock }: Real) {
    clock.forward(seconds * 1000)
  },
  toString: () => `${seconds} s pass`,
})

const commands = [
  fc
    .record(
      {
        body: fc.nat(30).map(String),
        lane: fc.constantFrom(...lanes),
        group: fc.constantFrom(...groups),
        order: fc.nat(5),
        for: fc.constantFrom(...receivers),
      },
      { requiredKeys: ['body', 'lane', 'group', 'order'] },
    )
    .map(send),
  fc.tuple(fc.constantFrom(...receivers), fc.integer({ min: 1, max: 4 })).map((args) => receive(...args)),
  fc.tuple(fc.nat(), fc.constantFrom('delete', 'release')).map((args) => settle(...args)),
  fc.constantFrom(1, 31).map(pass),
]

describe('queues in memory', () => {
  it('lose nothing, hand nothing out twice, and keep the order of lanes, of overdue ones, and inside groups', async () => {
    await fc.assert(
      fc.asyncProperty(fc.commands(commands, { maxCommands: 120, size: '+1' }), async (run) => {
        const clock = aSkewedClock()
        const queues = createMemoryQueues({ clock })
        const model: Model = { waiting: new Map(), inFlight: [], seq: 0, sinceOverdue: 0 }
        await fc.asyncModelRun(() => ({ model, real: { queues, clock } }), run)
        const depths = await Promise.all(lanes.map((lane) => queues.depth(lane)))
        expect(depths.reduce((sum, { waiting }) => sum + waiting, 0)).toBe(model.waiting.size)
        queues.close()
      }),
      { numRuns: 300 },
    )
  })

  it('let every group have its turn before one has two more than it', async () => {
    const backlog = fc.array(fc.constantFrom(...groups), { minLength: 1, maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(backlog, async (waiting) => {
        const queues = createMemoryQueues({ clock: aSkewedClock() })
        await queues.send(
          'q',
          waiting.map((group, at) => ({ body: String(at), group })),
        )
        const left = Map.groupBy(waiting, (group) => group)
        const had = new Map<string, number>()
        for (const _ of waiting) {
          const [message] = await queues.receive({ queues: ['q'], max: 1, waitSeconds: 0 })
          const group = waiting[Number(message?.body)] ?? ''
          had.set(group, (had.get(group) ?? 0) + 1)
          for (const [other, all] of left)
            if ((had.get(other) ?? 0) < all.length)
              expect((had.get(group) ?? 0) - (had.get(other) ?? 0)).toBeLessThanOrEqual(1)
        }
        queues.close()
      }),
    )
  })
})
