import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { times } from '#functions/api/times.ts'

const minuteMs = 60_000
const dayMs = 86_400_000

/** A day before the clocks of a zone change. */
const turns: [string, string][] = [
  ['Europe/Berlin', '2027-03-27T00:00Z'],
  ['Europe/Berlin', '2027-10-30T00:00Z'],
  ['America/New_York', '2027-03-13T00:00Z'],
  ['America/New_York', '2027-11-06T00:00Z'],
  ['America/Santiago', '2027-04-03T00:00Z'],
  ['America/Santiago', '2027-09-04T00:00Z'],
  ['Australia/Lord_Howe', '2027-04-02T00:00Z'],
  ['Australia/Lord_Howe', '2027-10-01T00:00Z'],
  ['Antarctica/Troll', '2027-03-27T00:00Z'],
  ['Antarctica/Troll', '2027-10-30T00:00Z'],
  ['Africa/Casablanca', '2027-02-06T00:00Z'],
  ['Pacific/Apia', '2027-04-03T00:00Z'],
  ['UTC', '2027-03-27T00:00Z'],
]

const list = (most: number) => fc.uniqueArray(fc.integer({ min: 0, max: most }), { minLength: 1, maxLength: 4 })

type Field = { text: string; has: (value: number) => boolean; wild: boolean }
const field = (most: number, divisors: number[]): fc.Arbitrary<Field> =>
  fc.oneof(
    list(most).map((all) => ({ text: all.join(','), has: (value: number) => all.includes(value), wild: false })),
    fc
      .tuple(fc.integer({ min: 0, max: most }), fc.integer({ min: 0, max: most }))
      .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const)
      .map(([from, to]) => ({
        text: `${from}-${to}`,
        has: (value: number) => value >= from && value <= to,
        wild: false,
      })),
    fc.constantFrom(...divisors).map((by) => ({
      text: by === 1 ? '*' : `*/${by}`,
      has: (value: number) => value % by === 0,
      wild: true,
    })),
  )

const minutes = field(59, [1, 5, 15, 30])
const hours = field(23, [1, 2, 3, 6])
const days = fc
  .constantFrom(undefined, 1, 3, 4, 5, 6, 7, 14, 28, 31)
  .map((day) => ({ text: String(day ?? '*'), has: (value: number) => day === undefined || value === day, wild: false }))

/** What the clocks of a zone show, as if it were UTC. */
const shownIn = (timeZone: string): ((time: number) => number) => {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' })
  return (time) => Date.parse(`${format.format(time).replace(' ', 'T')}Z`)
}

/** Minute by minute: whenever the clock shows it, or, of fixed times, the first time and at the end of a gap that has it. */
const byMinutes = (
  { minute, hour, day }: Record<'minute' | 'hour' | 'day', Field>,
  zone: string,
  from: number,
): number[] => {
  const shown = shownIn(zone)
  const has = (wall: number): boolean => {
    const date = new Date(wall)
    return minute.has(date.getUTCMinutes()) && hour.has(date.getUTCHours()) && day.has(date.getUTCDate())
  }
  const wild = minute.wild || hour.wild
  const found: number[] = []
  let last = shown(from)
  for (let time = from + minuteMs; time <= from + 3 * dayMs; time += minuteMs) {
    const wall = shown(time)
    const walls = wild ? [wall] : []
    if (!wild) for (let each = last + minuteMs; each <= wall; each += minuteMs) walls.push(each)
    if (walls.some(has)) found.push(time)
    last = Math.max(last, wall)
  }
  return found
}

describe('the times of a cron expression', () => {
  it(
    'are those that a look at every minute finds, also while clocks change',
    () =>
      fc.assert(
        fc.property(minutes, hours, days, fc.constantFrom(...turns), (minute, hour, day, [timeZone, begin]) => {
          const from = Date.parse(begin)
          const expected = byMinutes({ minute, hour, day }, timeZone, from)
          const expression = `${minute.text} ${hour.text} ${day.text} * *`
          const found = times({ cron: { expression, timeZone } }, from, expected.length + 1)
          expect(found.filter((time) => time <= from + 3 * dayMs)).toEqual(expected)
        }),
        { numRuns: 100 },
      ),
    60_000,
  )
})
