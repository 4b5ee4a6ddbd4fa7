import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { digest, idPattern, newId } from '#shared/domain/ids.ts'
import { ulid } from '#shared/platform/ulid.ts'

/** Keys in another order, at every level. */
const turned = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(turned)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, of]) => [key, turned(of)]),
  )
}

it('a digest is the same whatever the order of keys, and another for another value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (value, other) => {
      expect(digest(turned(value))).toBe(digest(value))
      const same = JSON.stringify(value) === JSON.stringify(other)
      if (!same && typeof value !== 'object') expect(digest(other)).not.toBe(digest(value))
    }),
  )
})

it('a digest is what it was when it was first stored', () => {
  const sorted = '{"a":[{"x":1,"y":2}],"b":{"c":null,"d":"é"}}'
  const stored = createHash('sha256').update(sorted).digest('hex').slice(0, 32)
  expect(digest({ b: { d: 'é', c: null }, a: [{ y: 2, x: 1 }] })).toBe(stored)
  expect(digest(JSON.parse(sorted))).toBe(stored)
})

it('a pattern knows the ids of its prefix, however often it is asked', () => {
  const random = { bytes: (length: number) => new Uint8Array(length), number: () => 0 }
  const id = newId('tsk', { clock: { now: () => 1, sleep: async () => undefined }, random })
  expect([1, 2, 3].map(() => idPattern('tsk').test(id))).toEqual([true, true, true])
  expect(idPattern('ins').test(id)).toBe(false)
  expect(idPattern('tsk').test(`tsk_${ulid(2, random.bytes)}x`)).toBe(false)
})
