import { describe, expect, it } from 'vitest'
import { times, timingProblem } from '#functions/api/times.ts'

const cron = (expression: string, timeZone: string, after: string, count = 3) =>
  times({ cron: { expression, timeZone } }, Date.parse(after), count).map((time) => new Date(time).toISOString())

describe('the times of a schedule', () => {
  it('come at the end of the gap when the clocks skip them, and only that day', () => {
    expect(cron('30 2 * * *', 'Europe/Berlin', '2026-03-28T00:00:00Z')).toEqual([
      '2026-03-28T01:30:00.000Z',
      '2026-03-29T01:00:00.000Z',
      '2026-03-30T00:30:00.000Z',
    ])
    expect(cron('30 2 * * *', 'America/New_York', '2026-03-08T05:00:00Z')).toEqual([
      '2026-03-08T07:00:00.000Z',
      '2026-03-09T06:30:00.000Z',
      '2026-03-10T06:30:00.000Z',
    ])
  })

  it('come so too where the expression has several of them', () => {
    expect(cron('0 2,14 28 3 *', 'Europe/Berlin', '2027-03-01T00:00:00Z', 2)).toEqual([
      '2027-03-28T01:00:00.000Z',
      '2027-03-28T12:00:00.000Z',
    ])
    expect(cron('0,30 2 28 3 *', 'Europe/Berlin', '2027-03-01T00:00:00Z', 1)).toEqual(['2027-03-28T01:00:00.000Z'])
    expect(cron('0 2,14 31 10 *', 'Europe/Berlin', '2027-10-01T00:00:00Z', 2)).toEqual([
      '2027-10-31T00:00:00.000Z',
      '2027-10-31T13:00:00.000Z',
    ])
    expect(cron('0 1-4 31 10 *', 'Europe/Berlin', '2027-10-01T00:00:00Z', 4)).toEqual([
      '2027-10-30T23:00:00.000Z',
      '2027-10-31T00:00:00.000Z',
      '2027-10-31T02:00:00.000Z',
      '2027-10-31T03:00:00.000Z',
    ])
  })

  it('come once when the clocks repeat them, and every time when they are for every half hour', () => {
    expect(cron('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 2)).toEqual([
      '2026-10-25T00:30:00.000Z',
      '2026-10-26T01:30:00.000Z',
    ])
    expect(cron('30 1 * * *', 'America/New_York', '2026-10-31T12:00:00Z', 2)).toEqual([
      '2026-11-01T05:30:00.000Z',
      '2026-11-02T06:30:00.000Z',
    ])
    expect(cron('*/30 * * * *', 'Europe/Berlin', '2026-10-25T00:10:00Z', 4)).toEqual([
      '2026-10-25T00:30:00.000Z',
      '2026-10-25T01:00:00.000Z',
      '2026-10-25T01:30:00.000Z',
      '2026-10-25T02:00:00.000Z',
    ])
  })

  it('are counted from the creation for a rate, and are none once a single time is over', () => {
    const rate = { rate: { everySeconds: 60, from: 1000 } }
    expect(times(rate, 1000, 2)).toEqual([61_000, 121_000])
    expect(times(rate, 61_000, 1)).toEqual([121_000])
    expect(times(rate, 0, 1)).toEqual([61_000])
    expect(times({ at: 500 }, 499, 5)).toEqual([500])
    expect(times({ at: 500 }, 500, 5)).toEqual([])
  })

  it('are refused with the field and what would be right', () => {
    const problem = (expression: string, timeZone = 'UTC') => timingProblem({ cron: { expression, timeZone } }, 0)
    expect(problem('0 9 * * 1-5')).toBeUndefined()
    expect(problem('0 0 9 * * 1-5')).toBeUndefined()
    expect(problem('61 * * * *')).toMatchObject({
      pointer: '#/cron/expression',
      message: expect.stringContaining('61'),
    })
    expect(problem('0 0 30 2 *')).toMatchObject({ message: '0 0 30 2 * never comes' })
    expect(problem('@daily')).toBeUndefined()
    for (const other of ['* * *', '2026-12-01T00:00:00', '2026-12-01T00:00:00Z', '* * * * * * *', ''])
      expect(problem(other)).toMatchObject({
        pointer: '#/cron/expression',
        message: expect.stringContaining('five fields, or six'),
      })
    expect(problem('0 9 * * *', 'Mars/Base')).toMatchObject({ pointer: '#/cron/timeZone' })
    expect(timingProblem({ at: 5 }, 10)).toMatchObject({ pointer: '#/at' })
  })
})
