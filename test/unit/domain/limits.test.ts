import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { patchLimits } from '#shared/domain/limits/change-limits.ts'
import { keyLimitId, type Limits, limitById, limitsOf, type Rate, subjectOf } from '#shared/domain/limits/limit.ts'
import { returnTokens, takeTokens, tokensLeft } from '#shared/domain/limits/token-bucket.ts'
import { boundsMore } from '#shared/domain/limits/wake-changed.ts'

const rates: fc.Arbitrary<Rate> = fc.record({
  count: fc.integer({ min: 1, max: 50 }),
  seconds: fc.integer({ min: 1, max: 100 }),
})

describe('a rate', () => {
  it('lets fewer than twice its count start in any window of its seconds, and never fewer than its count in the long run', () =>
    fc.assert(
      fc.property(rates, fc.array(fc.integer({ min: 0, max: 5000 }), { maxLength: 200 }), (rate, pauses) => {
        let [now, fullAt] = [1_000_000, undefined as number | undefined]
        const starts: number[] = []
        for (const pause of pauses) {
          now += pause
          const outcome = takeTokens(rate, fullAt, { tokens: 1, now })
          if ('at' in outcome) continue
          fullAt = outcome.fullAt
          starts.push(now)
        }
        for (const start of starts) {
          const within = starts.filter((at) => at >= start && at < start + rate.seconds * 1000)
          expect(within.length).toBeLessThan(2 * rate.count + 1)
        }
      }),
    ))

  it('says when there is a token, and there is one then and not before', () =>
    fc.assert(
      fc.property(rates, fc.integer({ min: 0, max: 200 }), (rate, taken) => {
        const now = 1_000_000
        const fullAt = now + (taken * rate.seconds * 1000) / rate.count
        const outcome = takeTokens(rate, fullAt, { tokens: 1, now })
        if (!('at' in outcome)) {
          expect(tokensLeft(rate, fullAt, now)).toBeGreaterThanOrEqual(0.99)
          return
        }
        expect(takeTokens(rate, fullAt, { tokens: 1, now: outcome.at })).toHaveProperty('fullAt')
        if (outcome.at > now + 2)
          expect(
            takeTokens(rate, fullAt, { tokens: 1, now: outcome.at - 2 - rate.seconds / rate.count }),
          ).toHaveProperty('at')
      }),
    ))

  it('is as it was after tokens that were taken have come back', () => {
    const rate = { count: 10, seconds: 60 }
    const outcome = takeTokens(rate, undefined, { tokens: 3, now: 5000 })
    expect('fullAt' in outcome && tokensLeft(rate, outcome.fullAt, 5000)).toBe(7)
    expect('fullAt' in outcome && tokensLeft(rate, returnTokens(rate, outcome.fullAt, 3), 5000)).toBe(10)
  })
})

describe('limits', () => {
  const limits: Limits = {
    tenant: { concurrency: 9 },
    agents: { reviewer: { concurrency: 5 }, other: { concurrency: 1 } },
    keys: { acme: { rate: { count: 1, seconds: 1 } } },
    defaultKey: { concurrency: 2 },
  }
  const target = { agent: 'agt_1', agentName: 'reviewer', version: '1.0.0' }

  it('are those of the tenant, the agent and the key of a task', () => {
    const agent = { name: 'reviewer', maxConcurrentTasks: 3 }
    const found = limitsOf(limits, agent, { target, fairnessKey: 'acme' })
    expect(found.map(({ name }) => name)).toEqual(['the tenant', 'agent reviewer', 'key acme'])
    expect(found[1]).toMatchObject({ concurrency: 3 })
    expect(limitsOf(limits, agent, { target, fairnessKey: 'b' })[2]).toMatchObject({ name: 'key b', concurrency: 2 })
    expect(limitsOf({}, { name: 'reviewer' }, { target, fairnessKey: 'b' })).toEqual([])
    expect(limitsOf({ keys: {} }, undefined, { target, fairnessKey: 'constructor' })).toEqual([])
  })

  it('are found again by their id, whatever the key is', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (key) => {
        expect(subjectOf(keyLimitId(key))).toEqual({ key })
        expect(keyLimitId(key)).not.toMatch(/[\s#]/)
        expect(limitById({ defaultKey: { concurrency: 1 } }, undefined, keyLimitId(key))?.name).toBe(`key ${key}`)
      }),
    ))

  it('are merged: what is left out stays, null removes, a rate is one thing', () => {
    const rate = { count: 5, seconds: 10 }
    expect(patchLimits(limits, { tenant: { rate } }, 7).tenant).toEqual({ concurrency: 9, rate: { ...rate, since: 7 } })
    expect(patchLimits(limits, { agents: { other: null } }, 7).agents).toEqual({ reviewer: { concurrency: 5 } })
    expect(patchLimits(limits, { keys: { acme: { rate: { count: 2, seconds: 3 } } } }, 7).keys?.acme).toEqual({
      rate: { count: 2, seconds: 3, since: 7 },
    })
    expect(patchLimits(limits, { keys: { acme: { rate: { count: 1, seconds: 1 } } } }, 7).keys).toEqual(limits.keys)
    expect(patchLimits(limits, { tenant: null, prices: { default: 1 } }, 7)).toMatchObject({ prices: { default: 1 } })
    expect(patchLimits(limits, { tenant: null }, 7)).not.toHaveProperty('tenant')
    expect(patchLimits(limits, {}, 7)).toEqual(limits)
  })
})

describe('a change of limits', () => {
  const few = { concurrency: 2 }

  it.each<[string, Limits, Limits, boolean]>([
    ['bounds the tenant', {}, { tenant: few }, true],
    ['only makes it more', { tenant: few }, { tenant: { concurrency: 3 } }, false],
    ['bounds an agent', { agents: { a: { rate: { count: 1, seconds: 1 } } } }, { agents: { a: few } }, true],
    ['bounds each key', {}, { defaultKey: few }, true],
    ['names a key that had the usual limit', { defaultKey: few }, { defaultKey: few, keys: { k: few } }, false],
    [
      'gives a key the usual limit back that had none',
      { defaultKey: few, keys: { k: { rate: { count: 1, seconds: 1 } } } },
      { defaultKey: few },
      true,
    ],
  ])('%s', (_, before, after, expected) => expect(boundsMore(before, after)).toBe(expected))
})
