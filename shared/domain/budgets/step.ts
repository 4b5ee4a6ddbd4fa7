import { type Amounts, leftOf, type Pool, type Share } from './pool.ts'

/** So often a share grows by what was spent and no more: who reports seldom takes nothing ahead. */
const exactTimes = 8
/** A step is at most this part of what the task has spent, and of what is left. */
const partOfSpent = 1 / 4
const partOfLeft = 1 / 4
const stepNames = ['money', 'tokens'] as const

/**
 * What a share takes ahead as it grows, so that its next reports write nothing to the pool: all that open shares take
 * together is no more than what is left, so that nobody lacks what nobody spends.
 */
export const stepOf = (pool: Pool, share: Share | undefined, spent: Amounts): Amounts => {
  const held = share?.held ?? {}
  const grows = stepNames.some((name) => (spent[name] ?? 0) > (held[name] ?? 0))
  if (!grows || (share?.grown ?? 0) < exactTimes) return {}
  const steps = stepNames.flatMap((name) => {
    const left = leftOf(pool, name)
    const wanted = spent[name]
    if (left === undefined || wanted === undefined) return []
    const rest = Math.max(0, left - Math.max(0, wanted - (held[name] ?? 0)))
    const step = Math.min(wanted * partOfSpent, rest * Math.min(partOfLeft, 1 / pool.open))
    return [[name, name === 'tokens' ? Math.floor(step) : step] as const]
  })
  return Object.fromEntries(steps)
}
