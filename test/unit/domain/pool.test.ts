import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  changeShare,
  leftInChain,
  leftOf,
  type Pool,
  type Share,
  type ShareChange,
} from '#shared/domain/budgets/pool.ts'

const changes: fc.Arbitrary<{ task: number; change: ShareChange }> = fc.record({
  task: fc.integer({ min: 0, max: 3 }),
  change: fc.record(
    {
      held: fc.record(
        { tokens: fc.integer({ min: 0, max: 20 }), money: fc.double({ min: 0, max: 2, noNaN: true }) },
        { requiredKeys: [] },
      ),
      partly: fc.boolean(),
      growing: fc.boolean(),
      close: fc.boolean(),
    },
    { requiredKeys: ['held'] },
  ),
})

describe('a pool', () => {
  it('is used as its shares are, within its bounds, and counts the open ones', () =>
    fc.assert(
      fc.property(fc.array(changes, { maxLength: 30 }), (all) => {
        let pool: Pool = { bounds: { tokens: 30, money: 2 }, used: {}, open: 0 }
        const shares = new Map<number, Share>()
        for (const { task, change } of all) {
          const changed = changeShare(pool, shares.get(task), change, 0)
          if (changed.short.length > 0 && !change.partly) continue
          pool = changed.pool
          shares.set(task, changed.share)
          const sum = (name: 'tokens' | 'money') =>
            [...shares.values()].reduce((total, { held }) => total + (held[name] ?? 0), 0)
          expect(pool.used.tokens ?? 0).toBe(sum('tokens'))
          expect(pool.used.money ?? 0).toBeCloseTo(sum('money'), 6)
          expect(pool.used.tokens ?? 0).toBeLessThanOrEqual(30)
          expect(pool.used.money ?? 0).toBeLessThanOrEqual(2 + 1e-6)
          expect(pool.open).toBe([...shares.values()].filter(({ open }) => open).length)
        }
      }),
    ))

  it('leaves a share that is closed as it is', () => {
    const pool: Pool = { bounds: { tokens: 10 }, used: { tokens: 4 }, open: 0 }
    const share: Share = { held: { tokens: 4 }, open: false, since: 0 }
    expect(changeShare(pool, share, { held: { tokens: 9 }, partly: true }, 1)).toEqual({ pool, share, short: [] })
  })

  it('bounds only what it names; the next one above bounds the rest', () => {
    const own: Pool = { bounds: { tokens: 10 }, used: { tokens: 4 }, open: 1 }
    const above: Pool = { bounds: { tokens: 100, money: 1 }, used: { money: 0.25 }, open: 2 }
    expect(leftInChain([own, above])).toEqual({ money: 0.75, tokens: 6 })
    expect(leftOf(own, 'money')).toBeUndefined()
  })
})
