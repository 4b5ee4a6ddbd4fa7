import type { Budget, Task } from '../tasks/task.ts'
import { type AmountName, type Amounts, boundingPool, type Share } from './pool.ts'
import type { Link } from './pool-store.ts'

export const spentNames = ['money', 'tokens', 'seconds'] as const

/** What a task has spent by itself. */
export const spentBy = ({ usage, ranSeconds }: Pick<Task, 'usage' | 'ranSeconds'>): Amounts => ({
  money: usage?.cost ?? 0,
  tokens: usage?.tokens ?? 0,
  seconds: ranSeconds ?? 0,
})

/** The pool of a chain that bounds an amount. */
export const linkOf = (chain: Link[], name: AmountName): Link | undefined =>
  chain[
    boundingPool(
      chain.map(({ stored }) => stored.value),
      name,
    )
  ]

/** What is spent, in each pool that bounds some of it. */
export const spentInChain = (chain: Link[], spent: Amounts): Map<string, Amounts> => {
  const held = new Map<string, Amounts>()
  for (const name of spentNames) {
    const link = linkOf(chain, name)
    if (link !== undefined) held.set(link.id, { ...held.get(link.id), [name]: spent[name] ?? 0 })
  }
  return held
}

/** What a share holds that its task has not spent. `reserved`: by name, what it holds for a pool of its own. */
export const aheadOf = ({ held }: Pick<Share, 'held'>, spent: Amounts, reserved: Budget = {}): Amounts =>
  Object.fromEntries(
    spentNames.flatMap((name: AmountName) => {
      const ahead = (held[name] ?? 0) - (spent[name] ?? 0)
      return reserved[name] === undefined && ahead > 0 ? [[name, ahead]] : []
    }),
  )
