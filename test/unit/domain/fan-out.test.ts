import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DomainError, invalid } from '#shared/domain/domain-error.ts'
import {
  countPage,
  doneOf,
  type Ended,
  markRows,
  openRows,
  pageOf,
  type RowPage,
} from '#shared/domain/fan-out/bitmap.ts'
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
import { rangeRows, readLines } from '#shared/domain/fan-out/read-rows.ts'
import { problemOf } from '#shared/domain/fan-out/submit-rows.ts'

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

const streamOf = (bytes: Uint8Array, size: number): ReadableStream<Uint8Array> =>
  ReadableStream.from(
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size)),
  ) as ReadableStream<Uint8Array>

describe('rows', () => {
  it('are the same however the object is cut, and wherever a reader goes on', async () => {
    const values = fc.array(fc.oneof(fc.string(), fc.integer(), fc.constant('ünï→𝄞')), { maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(
        values,
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 7 }),
        async (all, size, count) => {
          const bytes = Buffer.from(all.map((value) => `${JSON.stringify(value)}\n`).join(''))
          const read: unknown[] = []
          for (let byte = 0, ended = false; !ended; ) {
            const rows = await readLines(streamOf(bytes.subarray(byte), size), { row: read.length, byte, count })
            expect(rows.rows.map(({ row }) => row)).toEqual(rows.rows.map((_, at) => read.length + at))
            read.push(...rows.rows.map(({ value }) => value))
            byte = rows.byte
            ended = rows.ended
          }
          expect(read).toEqual(all)
        },
      ),
      { numRuns: 50 },
    )
  })

  it('that are none say why, and take the others along', async () => {
    const long = `"${'x'.repeat(300_000)}"`
    const bytes = Buffer.concat([Buffer.from(`1\n{\n${long}\n`), Buffer.from([0xff, 10]), Buffer.from('2')])
    const { rows, ended, byte } = await readLines(streamOf(bytes, 65_536), { row: 5, byte: 10, count: 100 })
    expect(rows).toEqual([
      { row: 5, value: 1 },
      { row: 6, problem: expect.stringContaining('not JSON') },
      { row: 7, problem: 'the line has 300002 bytes; a row may have 262144' },
      { row: 8, problem: expect.stringContaining('not JSON') },
      { row: 9, value: 2 },
    ])
    expect({ ended, byte }).toEqual({ ended: true, byte: 10 + bytes.length })
  })

  it('of a range cover it without gap and overlap', () => {
    const arbitrary = fc.record({
      from: fc.integer({ min: -1000, max: 1000 }),
      length: fc.nat(500),
      size: fc.integer({ min: 1, max: 60 }),
      count: fc.integer({ min: 1, max: 9 }),
    })
    fc.assert(
      fc.property(arbitrary, ({ from, length, size, count }) => {
        const covered: number[] = []
        for (let row = 0, ended = false; !ended; ) {
          const part = rangeRows({ from, to: from + length, size }, { row, count })
          for (const { value } of part.rows) {
            const step = value as { from: number; to: number }
            for (let at = step.from; at < step.to; at++) covered.push(at)
          }
          row += part.rows.length
          ended = part.ended
        }
        expect(covered).toEqual(Array.from({ length }, (_, at) => from + at))
      }),
    )
  })
})

describe('why a row can be no task', () => {
  const pointer = '#/input/n'
  it.each([
    ['once', invalid(pointer, 'X', 'it is missing'), '#/input/n: it is missing'],
    [
      'with the field',
      new DomainError('INVALID', `${pointer}: it is missing`, [{ pointer, code: 'X', message: 'it is missing' }]),
      '#/input/n: it is missing',
    ],
    [
      'with what it is about',
      new DomainError('INVALID', 'it does not fit', [{ pointer, code: 'X', message: 'it is missing' }]),
      'it does not fit: #/input/n: it is missing',
    ],
    ['alone', new DomainError('NOT_FOUND', 'there is no agent x'), 'there is no agent x'],
  ])('is told %s', (_, error, message) => {
    expect(problemOf(error)?.message).toBe(message)
  })
})
