import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { leavePlace, newPlace, placesTaken, recountPlaces, takePlace } from '#shared/domain/limits/places.ts'
import type { Table, Write } from '#shared/platform/platform.ts'
import { aTask } from '#test/support/builders.ts'
import { aPlatform } from '#test/support/embedded.ts'
import { aSkewedClock } from '#test/support/skewed-clock.ts'

const clock = aSkewedClock()
let opened: Awaited<ReturnType<typeof aPlatform>>
beforeAll(async () => {
  opened = await aPlatform(undefined, clock)
})
afterAll(() => opened.close())

/** A limit with both of its places taken by nobody's tasks. */
const aFullLimit = async (id: string) => {
  const { platform } = opened
  const places = ['t1', 't2'].map((task) => ({ task, place: newPlace(platform) }))
  for (const place of places) await takePlace(platform, 'default', { id, concurrency: 2 }, place)
  const taken = () => placesTaken(platform, 'default', id)
  const recount = () => recountPlaces(platform, 'default', id)
  return { platform, places, taken, recount }
}

describe('the recount of a limit', () => {
  it('gives places back that no running task has, once they are old enough', async () => {
    const { taken, recount } = await aFullLimit('old')
    expect([await recount(), await taken()]).toEqual([0, 2])
    clock.forward(31_000)
    expect([await recount(), await taken()]).toEqual([2, 0])
  })

  it('mends a counter whose place was never named, when it is seen to be wrong again and again', async () => {
    const { platform, taken, recount } = await aFullLimit('unnamed')
    const dying: Table = { ...platform.volatile, write: () => Promise.reject(new Error('the process ended')) }
    const place = { task: 't3', place: newPlace(platform) }
    await takePlace({ ...platform, volatile: dying }, 'default', { id: 'unnamed', concurrency: 3 }, place).catch(
      () => undefined,
    )
    clock.forward(31_000)
    await recount() // gives t1 and t2 back, which nobody has
    for (let time = 0; time < 4; time++) {
      expect(await taken()).toBe(1)
      clock.forward(10_000)
      await recount()
    }
    expect(await taken()).toBe(0)
  })

  it('mends a counter that is off while tasks come and go', async () => {
    const { platform, taken, recount } = await aFullLimit('busy')
    await platform.volatile.add({ pk: 'default#limit#busy', sk: 'counter' }, 3)
    for (let time = 0; time < 6; time++) {
      const place = { task: `b${time}`, place: newPlace(platform) }
      await takePlace(platform, 'default', { id: 'busy', concurrency: 10 }, place)
      clock.forward(10_000)
      await recount()
      await leavePlace(platform, 'default', 'busy', place)
    }
    expect(await taken()).toBe(0)
  })

  it('leaves a place alone that is being given back at that moment', async () => {
    const { platform, places, taken, recount } = await aFullLimit('leaving')
    const [first, second] = places
    if (first === undefined || second === undefined) throw new Error('there are two places')
    const counted = { leaving: first.place }
    const lease = { instance: 'ins_1', fence: '1.1', since: 0, timeoutAt: 0, counted }
    const item = {
      pk: 'default#task#t1',
      sk: 'head',
      type: 'note',
      value: aTask({ id: 't1', status: 'RUNNING', lease }),
    }
    await platform.main.write({ op: 'put', item, expect: 'any' })
    clock.forward(31_000)
    const { promise: halfway, resolve: reached } = Promise.withResolvers<void>()
    const { promise: goOn, resolve: continued } = Promise.withResolvers<void>()
    const slow: Table = {
      ...platform.volatile,
      async write(write: Write) {
        const outcome = await platform.volatile.write(write)
        reached()
        await goOn
        return outcome
      },
    }
    const leaving = leavePlace({ volatile: slow }, 'default', 'leaving', second)
    await halfway
    await recount()
    const before = await taken()
    continued()
    await leaving
    expect([before, await taken()]).toEqual([2, 1])
  })
})
