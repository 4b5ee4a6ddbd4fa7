import { describe, expect } from 'vitest'
import type { Random } from '#shared/platform/platform.ts'
import { type Cannot, contractTest } from './contract-test.ts'

const draws = 20_000

/** What `Random` promises; a seeded one passes too. */
export const randomContract = (name: string, make: () => Random, { cannot }: { cannot?: Cannot } = {}): void => {
  describe(`random: ${name}`, () => {
    const it = contractTest(cannot)

    it('draws numbers from 0 to less than 1, evenly', async () => {
      const random = make()
      const tenths = Array.from({ length: 10 }, () => 0)
      for (let draw = 0; draw < draws; draw++) {
        const number = random.number()
        expect(number >= 0 && number < 1).toBe(true)
        const tenth = Math.floor(number * 10)
        tenths[tenth] = (tenths[tenth] ?? 0) + 1
      }
      for (const count of tenths) expect(Math.abs(count - draws / 10)).toBeLessThan(draws / 50)
    })

    it('draws as many bytes as it is asked for, evenly', async () => {
      const random = make()
      for (const length of [0, 1, 16, 1000]) expect(random.bytes(length)).toHaveLength(length)
      const ones = random.bytes(draws).reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0)
      expect(Math.abs(ones / (draws * 8) - 0.5)).toBeLessThan(0.01)
    })

    it('does not draw the same bytes twice', async () => {
      const random = make()
      const drawn = new Set(Array.from({ length: 1000 }, () => Buffer.from(random.bytes(16)).toString('hex')))
      expect(drawn.size).toBe(1000)
    })
  })
}
