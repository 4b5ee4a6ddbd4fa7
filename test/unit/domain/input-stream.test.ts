import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isRefused } from '#shared/domain/domain-error.ts'
import {
  appendTo,
  chunkRecords,
  emptyStream,
  type InputStream,
  inputLimits,
  partsOf,
  passOn,
  readTo,
  unreadOf,
} from '#shared/domain/input/input-stream.ts'

describe('records of an input stream', () => {
  it('are numbered on without a gap, in items of a bounded size that know what comes before them', () => {
    const sizes = fc.array(fc.array(fc.integer({ min: 1, max: 150_000 }), { maxLength: 30 }), { maxLength: 5 })
    fc.assert(
      fc.property(sizes, (appends) => {
        let stream = emptyStream
        const chunks = appends.flatMap((append) => {
          const made = chunkRecords(
            stream,
            append.map((bytes, at) => ({ value: `${bytes}.${at}`, bytes })),
          )
          const bytes = append.reduce((sum, one) => sum + one, 0)
          const next = appendTo(stream, { records: append.length, bytes, end: false })
          if (isRefused(next)) return []
          stream = next
          return made
        })
        const bytesOf = (values: unknown[]) =>
          values.reduce<number>((sum, one) => sum + Number.parseInt(String(one), 10), 0)
        let [seq, before] = [1, 0]
        for (const chunk of chunks) {
          expect({ first: chunk.first, before: chunk.before }).toEqual({ first: seq, before })
          const bytes = bytesOf(chunk.records)
          if (chunk.records.length > 1) expect(bytes).toBeLessThanOrEqual(96 * 1024)
          seq += chunk.records.length
          before += bytes
        }
        expect(stream.last).toEqual({ seq: seq - 1, bytes: before })
      }),
    )
  })

  it('never wait in larger numbers than the limit, and always find room once they were read', () => {
    const step = fc.record({
      records: fc.integer({ min: 1, max: 1000 }),
      bytes: fc.integer({ min: 1, max: 256 * 1024 }),
      read: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (all) => {
        let stream = emptyStream
        for (const { read, ...more } of all) {
          const next = appendTo(stream, { ...more, end: false })
          if (!isRefused(next)) stream = next
          else expect(isRefused(appendTo(readTo(stream, stream.last), { ...more, end: false }))).toBe(false)
          const unread = unreadOf(stream)
          expect(unread.seq <= inputLimits.records && unread.bytes <= inputLimits.bytes).toBe(true)
          if (read) stream = readTo(stream, stream.last)
        }
      }),
    )
  })

  it('end once: nothing follows, and ending again changes nothing', () => {
    const ended = appendTo(emptyStream, { records: 1, bytes: 1, end: true })
    if (isRefused(ended)) throw new Error(ended.message)
    expect(appendTo(ended, { records: 0, bytes: 0, end: true })).toBe(ended)
    expect(appendTo(ended, { records: 1, bytes: 1, end: false })).toMatchObject({ refused: 'INPUT_ENDED' })
  })

  it('are not read backwards by an attempt that starts again', () => {
    const stream = { ...emptyStream, last: { seq: 5000, bytes: 50_000 }, read: { seq: 4000, bytes: 40_000 } }
    expect(readTo(stream, { seq: 10, bytes: 100 })).toBe(stream)
  })
})

describe('an input stream that is passed on', () => {
  const at = (seq: number) => ({ seq, bytes: seq * 10 })
  const stream: InputStream = { last: at(5), read: at(3), ended: false }

  it('knows where each record is kept, and no task that was given none', () => {
    const first = passOn(stream, { task: 'a', fromStart: false })
    const second = passOn(first, { task: 'b', fromStart: false })
    const third = passOn({ ...second, last: at(7) }, { task: 'c', fromStart: false })
    expect(partsOf(third, 'd')).toEqual([
      { task: 'a', last: 5 },
      { task: 'c', last: 7 },
      { task: 'd', last: 7 },
    ])
  })

  it('is unread from the start, and as far read as it was behind a checkpoint', () => {
    expect(unreadOf(passOn(stream, { task: 'a', fromStart: true })).seq).toBe(5)
    expect(unreadOf(passOn(stream, { task: 'a', fromStart: false })).seq).toBe(2)
  })
})
