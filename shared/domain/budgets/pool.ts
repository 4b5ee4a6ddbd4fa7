/** What can be spent of a pool. */
export const amountNames = ['money', 'tokens', 'seconds', 'children'] as const
export type AmountName = (typeof amountNames)[number]
export type Amounts = { [Name in AmountName]?: number }

/** What the tree below a task may spend together: `used` is what the shares of it hold. */
export type Pool = {
  bounds: Amounts
  used: Amounts
  /** Shares that may still grow; without any the rest goes back. */
  open: number
  /** The task whose pool it was reserved from. */
  above?: string
  /** The rest went back. */
  closed?: true
}

/** What one task has of a pool: spent, or kept for a pool of its own. */
export type Share = { held: Amounts; open: boolean; since: number }

/** A millionth of a cent is rounding. */
const rounded = (value: number): number => Math.round(value * 1e9) / 1e9
const rounding = 1e-9

/** The pool that bounds an amount for those at the near end of a chain. */
export const boundingPool = (chain: readonly Pool[], name: AmountName): number =>
  chain.findIndex(({ bounds }) => bounds[name] !== undefined)

/** How much of it is left; `undefined`: any amount. */
export const leftOf = ({ bounds, used }: Pool, name: AmountName): number | undefined =>
  bounds[name] === undefined ? undefined : rounded(Math.max(0, bounds[name] - (used[name] ?? 0)))

/** What is left for those at the near end of a chain. */
export const leftInChain = (chain: readonly Pool[]): Amounts =>
  Object.fromEntries(
    amountNames.flatMap((name) => {
      const pool = chain[boundingPool(chain, name)]
      return pool === undefined ? [] : [[name, leftOf(pool, name)]]
    }),
  )

export type ShareChange = {
  /** What the share is to hold; what is not named stays. */
  held: Amounts
  /** It holds what there is, when that is less. */
  partly?: boolean
  /** It never shrinks by this change. */
  growing?: boolean
  /** It does not change any more. */
  close?: boolean
  /** It is nobody's, and goes. */
  drop?: boolean
}

export type Changed = { pool: Pool; share: Share; short: AmountName[] }

/** The pool and one share of it after a change; `short` names what there was too little of. A closed share stays as it is. */
export const changeShare = (
  pool: Pool,
  before: Share | undefined,
  { held, partly, growing, close }: ShareChange,
  now: number,
): Changed => {
  if (before !== undefined && !before.open) return { pool, share: before, short: [] }
  const share: Share = { held: { ...before?.held }, open: !close, since: before?.since ?? now }
  const used = { ...pool.used }
  const short: AmountName[] = []
  for (const name of amountNames) {
    const wanted = held[name]
    if (wanted === undefined) continue
    const had = before?.held[name] ?? 0
    const room = (pool.bounds[name] ?? Number.POSITIVE_INFINITY) - ((used[name] ?? 0) - had)
    const aim = growing ? Math.max(had, wanted) : wanted
    if (aim > room + rounding) short.push(name)
    const next = partly ? Math.max(0, Math.min(aim, room)) : aim
    share.held[name] = rounded(next)
    used[name] = rounded((used[name] ?? 0) - had + next)
  }
  const open = pool.open + (before === undefined ? 1 : 0) - (close ? 1 : 0)
  return { pool: { ...pool, used, open }, share, short }
}
