import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DomainError, invalid } from '#shared/domain/domain-error.ts'
import { rangeRows, readLines } from '#shared/domain/fan-out/read-rows.ts'
import { problemOf } from '#shared/domain/fan-out/submit-rows.ts'

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
