import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { encodeCrockford, ulid } from '#shared/platform/ulid.ts'

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const zeros = (length: number): Uint8Array => new Uint8Array(length)
const ones = (length: number): Uint8Array => new Uint8Array(length).fill(255)

describe('ulid', () => {
  test('is 26 characters of Crockford base 32', () => {
    expect(ulid(Date.now(), randomBytes)).toMatch(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/)
  })

  test('begins with the time', () => {
    const now = Date.now() + 1e9
    const digits = [...ulid(now, randomBytes).slice(0, 10)].map((character) => alphabet.indexOf(character))
    expect(digits.reduce((sum, digit) => sum * 32 + digit, 0)).toBe(now)
  })

  test('grows strictly while the clock stands still or steps back', () => {
    const now = Date.now() + 2e9
    const ids = Array.from({ length: 5000 }, (_, at) => ulid(at % 3 === 0 ? now - at : now, randomBytes))
    expect(ids.toSorted()).toEqual(ids)
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('carries over when the random part is full', () => {
    const now = Date.now() + 3e9
    const nearlyFull = (length: number): Uint8Array => ones(length).with(length - 1, 254)
    const ids = [ulid(now, nearlyFull), ulid(now, ones)]
    expect(ids[0]?.slice(10)).toBe('ZZZZZZZZZZZZZZZY')
    expect(ids[1]?.slice(10)).toBe('ZZZZZZZZZZZZZZZZ')
    const carried = Array.from({ length: 2 }, () => ulid(now + 1, (length) => ones(length).with(0, 0)))
    expect(carried.map((id) => id.slice(10))).toEqual(['03ZZZZZZZZZZZZZZ', '0400000000000000'])
  })

  test('never repeats itself', () => {
    const ids = new Set(Array.from({ length: 50_000 }, () => ulid(Date.now(), randomBytes)))
    expect(ids.size).toBe(50_000)
  })
})

describe('Crockford base 32', () => {
  test('writes 128 bits most significant first', () => {
    expect(encodeCrockford(zeros(16))).toBe('0'.repeat(26))
    expect(encodeCrockford(ones(16))).toBe(`7${'Z'.repeat(25)}`)
    expect(encodeCrockford(zeros(16).with(15, 33))).toBe(`${'0'.repeat(24)}11`)
  })
})
