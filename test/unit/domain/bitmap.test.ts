import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { countPage, type Ended, markRows, openRows, type RowPage } from '#shared/domain/fan-out/bitmap.ts'

const ends = fc.constantFrom<Ended>('succeeded', 'failed', 'cancelled')

describe('the bits of a page', () => {
  it('count each row once, as it was first told, in whatever order and how often', () => {
    const marks = fc.array(fc.tuple(fc.integer({ min: 0, max: 60 }), ends), { maxLength: 100 })
    fc.assert(
      fc.property(marks, fc.integer({ min: 0, max: 100 }), (all, cut) => {
        const page = [all.slice(0, cut), all.slice(cut), all].reduce<RowPage | undefined>(markRows, undefined)
        const first = new Map<number, Ended>()
        for (const [row, ended] of all) if (!first.has(row)) first.set(row, ended)
        const count = (wanted: Ended) => [...first.values()].filter((ended) => ended === wanted).length
        expect(countPage(page)).toEqual({
          succeeded: count('succeeded'),
          failed: count('failed'),
          cancelled: count('cancelled'),
        })
        expect(openRows(page, 0, 61)).toEqual(
          Array.from({ length: 61 }, (_, row) => row).filter((row) => !first.has(row)),
        )
      }),
    )
  })

  it('are the same object when nothing is new', () => {
    const page = markRows(undefined, [[4096, 'failed']])
    expect(markRows(page, [[4096, 'succeeded']])).toBe(page)
    expect(countPage(page)).toEqual({ succeeded: 0, failed: 1, cancelled: 0 })
  })
})
