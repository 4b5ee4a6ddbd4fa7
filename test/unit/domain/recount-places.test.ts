import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { leavePlace, newPlace, placesTaken, recountPlaces, takePlace } from '#shared/domain/limits/places.ts'
import type { Table } from '#shared/platform/platform.ts'
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

  it.each([5, -1, -2])('sets a counter right that is off by %d, as one from a backup may be', async (off) => {
    const { platform, taken, recount } = await aFullLimit(`off${off}`)
    await platform.volatile.add({ pk: `default#limit#off${off}`, sk: 'counter' }, off)
    expect([await recount(), await taken()]).toEqual([Math.max(0, off), 2])
  })

  it('counts the places of a limit whose counter is gone', async () => {
    const { platform, taken, recount } = await aFullLimit('gone')
    await platform.volatile.write({ op: 'delete', key: { pk: 'default#limit#gone', sk: 'counter' }, expect: 'any' })
    expect([await recount(), await taken()]).toEqual([0, 2])
  })

  it('leaves a counter alone that moves while its places are counted', async () => {
    const { platform, places, taken } = await aFullLimit('busy')
    const counting: Table = {
      ...platform.volatile,
      async query(question) {
        const page = await platform.volatile.query(question)
        for (const place of places) await leavePlace(platform, 'default', 'busy', place)
        return page as never
      },
    }
    await platform.volatile.add({ pk: 'default#limit#busy', sk: 'counter' }, 1)
    expect([await recountPlaces({ ...platform, volatile: counting }, 'default', 'busy'), await taken()]).toEqual([0, 1])
    expect([await recountPlaces(platform, 'default', 'busy'), await taken()]).toEqual([1, 0])
  })

  it('lets a place go that the counter knows nothing of', async () => {
    const { platform, places, taken, recount } = await aFullLimit('older')
    await platform.volatile.add({ pk: 'default#limit#older', sk: 'counter' }, -2)
    const left = await Promise.all(places.map((place) => leavePlace(platform, 'default', 'older', place)))
    expect([left, await taken(), await recount(), await taken()]).toEqual([[true, true], 0, 0, 0])
  })
})
