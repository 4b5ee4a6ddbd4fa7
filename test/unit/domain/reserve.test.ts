import fc from 'fast-check'
import { expect, it } from 'vitest'
import { laneRoom, reserveOf } from '#shared/domain/dispatch/reserve.ts'
import { priorities } from '#shared/domain/tasks/task.ts'

const rows: [string, number, number | undefined, [number, number, number, number]][] = [
  ['one slot is for every lane', 1, 5, [0, 0, 0, 0]],
  ['low leaves a tenth', 10, undefined, [0, 0, 0, 1]],
  ['low leaves a tenth, rounded up', 11, undefined, [0, 0, 0, 2]],
  ['low leaves one of two', 2, undefined, [0, 0, 0, 1]],
  ['normal and low leave what is reserved', 10, 3, [0, 0, 3, 3]],
  ['low leaves the larger of both', 100, 3, [0, 0, 3, 10]],
  ['one slot is never reserved', 4, 9, [0, 0, 3, 3]],
]
it.each(rows)('%s', (_name, slots, reservedSlots, expected) => {
  expect(priorities.map((lane) => reserveOf(lane, { slots, reservedSlots }))).toEqual(expected)
})

it('a lower lane never has more room than a higher one, and an idle instance has room for each', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1000 }), fc.nat(1200), fc.nat(1000), (slots, reservedSlots, free) => {
      const rooms = priorities.map((lane) => laneRoom(lane, { slots, reservedSlots }, Math.min(free, slots)))
      expect(rooms).toEqual(rooms.toSorted((a, b) => b - a))
      for (const lane of priorities) expect(laneRoom(lane, { slots, reservedSlots }, slots)).toBeGreaterThan(0)
    }),
  )
})
