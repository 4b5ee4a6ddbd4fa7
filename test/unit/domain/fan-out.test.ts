import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { countPage, doneOf, type Ended, markRows, pageOf, type RowPage } from '#shared/domain/fan-out/bitmap.ts'
import {
  advance,
  batchOutcome,
  chunkRows,
  closePage,
  type FanOut,
  inFlight,
  neededOf,
  nextOf,
  percentOf,
  see,
  stop,
  submittedOf,
  swept,
} from '#shared/domain/fan-out/fan-out.ts'

const aFanOut = (change: Partial<FanOut> = {}): FanOut => ({
  id: 'bat_1',
  tenant: 'default',
  state: 'RUNNING',
  source: { kind: 'object', id: 'obj_1', size: 1000 },
  maxInFlight: 1000,
  policy: {},
  position: { row: 0, byte: 0, ended: false },
  claimed: chunkRows,
  closed: { succeeded: 0, failed: 0, cancelled: 0 },
  open: [],
  fragments: [],
  lookedAt: 0,
  createdAt: 0,
  submitted: '',
  by: { kind: 'key', id: 'k', role: 'admin' },
  stamp: { actor: 'key:k', action: 'batch.create', request: 'r' },
  ...change,
})
const ends = fc.constantFrom<Ended>('succeeded', 'failed', 'cancelled')

/** Runs a fan-out of rows to its end as the driver does, with tasks that end when and how the run says. */
const simulate = (
  total: number,
  start: FanOut,
  run: { endNow: () => boolean; endAs: () => Ended; cancelAt?: number },
) => {
  let fan = start
  let most = 0
  const running = new Set<number>()
  const pages = new Map<number, RowPage>()
  const submitted: number[] = []
  const end = (row: number, as: Ended) => {
    running.delete(row)
    pages.set(pageOf(row), markRows(pages.get(pageOf(row)), [[row, as]]))
  }
  for (let steps = 0; fan.state === 'RUNNING'; steps++) {
    if (steps > 100_000) throw new Error('it does not end')
    if (steps === run.cancelAt) fan = stop(fan, { reason: 'CANCELLED', message: 'by test' })
    const seen = see(
      fan,
      fan.open.map((page) => pages.get(page)),
    )
    const next = nextOf(fan, seen, 0)
    if (next.do === 'close') fan = closePage(fan, next.page, countPage(pages.get(next.page)))
    else if (next.do === 'stop') fan = stop(fan, { reason: 'FAILURES', message: next.message })
    else if (next.do === 'cancel') {
      for (const row of running) end(row, 'cancelled')
      fan = swept(fan, { end: fan.position.row, now: 0 })
    } else if (next.do === 'submit') {
      const from = fan.position.row
      const rows = Math.min(next.count, total - from)
      for (let row = from; row < from + rows; row++) {
        submitted.push(row)
        running.add(row)
      }
      most = Math.max(most, running.size)
      fan = advance(fan, { rows, byte: 0, ended: from + rows === total })
    } else if (next.do === 'finish') fan = { ...fan, state: batchOutcome(fan, seen.counts) }
    else {
      const ending = [...running].filter(run.endNow)
      for (const row of ending.length > 0 ? ending : [...running].slice(0, 1)) end(row, run.endAs())
    }
  }
  return { fan, most, submitted, counts: see(fan, []).counts }
}

describe('a fan-out', () => {
  it('submits every row once, never more than its window at a time, and accounts for all of them', () => {
    const arbitrary = fc.record({
      total: fc.integer({ min: 0, max: 9000 }),
      maxInFlight: fc.integer({ min: 1, max: 3000 }),
      dice: fc.infiniteStream(fc.tuple(fc.boolean(), ends)),
      cancelAt: fc.option(fc.integer({ min: 0, max: 40 }), { nil: undefined }),
    })
    fc.assert(
      fc.property(arbitrary, ({ total, maxInFlight, dice, cancelAt }) => {
        const roll = () => dice.next().value as [boolean, Ended]
        const run = { endNow: () => roll()[0], endAs: () => roll()[1], cancelAt }
        const { fan, most, submitted, counts } = simulate(total, aFanOut({ maxInFlight }), run)
        expect(most).toBeLessThanOrEqual(maxInFlight)
        expect(submitted).toEqual(Array.from({ length: fan.position.row }, (_, row) => row))
        expect(doneOf(counts)).toBe(fan.position.row)
        expect(fan.open).toEqual([])
        expect(fan.state === 'CANCELLED' || fan.position.row === total).toBe(true)
        expect(fan.state === 'SUCCEEDED').toBe(fan.stopping === undefined && counts.succeeded === total)
      }),
      { numRuns: 60 },
    )
  })

  it('ends early when more rows fail than may', () => {
    const run = { endNow: () => false, endAs: (): Ended => 'failed' }
    const { fan, counts } = simulate(5000, aFanOut({ maxInFlight: 10, policy: { maxFailures: 3 } }), run)
    expect(fan).toMatchObject({ state: 'FAILED', stopping: { message: '4 rows failed, more than 3 may' } })
    expect(counts.failed).toBe(4)
    expect(fan.position.row).toBeLessThan(30)
  })

  it('ends as soon as its quorum is out of reach', () => {
    const fan = aFanOut({
      policy: { quorum: 0.5, failFast: true },
      total: 10,
      position: { row: 10, byte: 0, ended: true },
    })
    const next = (failed: number) => nextOf(fan, { counts: { succeeded: 0, failed, cancelled: 0 }, closable: [] }, 0).do
    expect([next(5), next(6)]).toEqual(['wait', 'stop'])
    expect(
      nextOf(
        { ...fan, policy: { quorum: 0.5 } },
        { counts: { succeeded: 0, failed: 9, cancelled: 0 }, closable: [] },
        0,
      ).do,
    ).toBe('wait')
  })

  it('takes in what a broken pass submitted behind its position', () => {
    const fan = stop(aFanOut({ position: { row: 4090, byte: 7, ended: false }, claimed: 4290, open: [0] }), {
      reason: 'CANCELLED',
      message: '',
    })
    expect(nextOf(fan, see(fan, [undefined]), 0)).toEqual({ do: 'cancel' })
    expect(swept(fan, { end: 4100, now: 5 })).toMatchObject({ position: { row: 4100 }, claimed: 4100, open: [0, 1] })
  })

  it('cancels again, and looks for missed ends, after a while', () => {
    const running = aFanOut({ position: { row: 3, byte: 0, ended: true }, open: [0], lookedAt: 1000 })
    const seen = see(running, [undefined])
    expect([nextOf(running, seen, 300_999).do, nextOf(running, seen, 301_000).do]).toEqual(['wait', 'look'])
    const stopping = swept(stop(running, { reason: 'CANCELLED', message: '' }), { end: 3, now: 1000 })
    expect([nextOf(stopping, seen, 60_999).do, nextOf(stopping, seen, 61_000).do]).toEqual(['wait', 'cancel'])
  })

  it('needs a share or a number of its rows', () => {
    expect([
      neededOf(undefined, 7),
      neededOf(1, 7),
      neededOf(0.5, 7),
      neededOf(0.7, 10),
      neededOf(3, 7),
      neededOf(9, 7),
    ]).toEqual([7, 7, 4, 7, 3, 7])
  })

  it('tells how far it is, also before it knows how many rows there are', () => {
    const counts = { succeeded: 50, failed: 0, cancelled: 0 }
    expect(percentOf(aFanOut({ position: { row: 100, byte: 500, ended: false } }), counts)).toBe(25)
    expect(percentOf(aFanOut({ position: { row: 100, byte: 1000, ended: true }, total: 100 }), counts)).toBe(50)
    expect(percentOf(aFanOut({ total: 0 }), { ...counts, succeeded: 0 })).toBe(100)
    expect(inFlight(aFanOut({ position: { row: 100, byte: 0, ended: false } }), counts)).toBe(50)
  })

  it('never tells of more rows that ended than were submitted, where a pass broke off behind its position', () => {
    const small = fc.integer({ min: 0, max: 300 })
    fc.assert(
      fc.property(small, small, small, small, (row, succeeded, failed, cancelled) => {
        const counts = { succeeded, failed, cancelled }
        const fan = aFanOut({ position: { row, byte: 500, ended: false } })
        expect(submittedOf(fan, counts)).toBeGreaterThanOrEqual(Math.max(row, succeeded + failed + cancelled))
        expect(percentOf(fan, counts)).toBeLessThanOrEqual(50)
      }),
    )
  })
})
