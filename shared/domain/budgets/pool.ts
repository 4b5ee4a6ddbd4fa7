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
  /** When it is looked at for shares that are nobody's: its own task has ended, and others are open. */
  dueAt?: number
}

/** What one task has of a pool: spent, taken ahead of that, or kept for a pool of its own. */
export type Share = {
  held: Amounts
  open: boolean
  since: number
  /** How often it grew with what its task spent. */
  grown?: number
  /** What it held without what was taken ahead when it last grew: the head of its task may not say so yet. */
  charged?: Amounts
}

/** A millionth of a cent is rounding. */
export const rounded = (value: number): number => Math.round(value * 1e9) / 1e9
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
  /** So much more than that, if there is, so that it need not grow again at once. */
  ahead?: Amounts
  /** It does not change any more. */
  close?: boolean
  /** It is nobody's, and goes. */
  drop?: boolean
}

/** What there was too little of, and how much has to be left for the same change to go through. */
export type Lack = { name: AmountName; lacking: number }
export type Changed = { pool: Pool; share: Share; short: Lack[] }

/** The pool and one share of it after a change; `short` names what there was too little of. A closed share stays as it is. */
export const changeShare = (
  pool: Pool,
  before: Share | undefined,
  { held, partly, growing, ahead = {}, close }: ShareChange,
  now: number,
): Changed => {
  if (before !== undefined && !before.open) return { pool, share: before, short: [] }
  const share: Share = { ...before, held: { ...before?.held }, open: !close, since: before?.since ?? now }
  const used = { ...pool.used }
  const short: Lack[] = []
  for (const name of amountNames) {
    const wanted = held[name]
    if (wanted === undefined) continue
    const had = before?.held[name] ?? 0
    const room = (pool.bounds[name] ?? Number.POSITIVE_INFINITY) - ((used[name] ?? 0) - had)
    const aim = growing ? Math.max(had, wanted) : wanted
    const wish = Math.max(aim, wanted + (ahead[name] ?? 0))
    const next = partly ? Math.max(0, Math.min(wish, room)) : wish
    if (aim > room + rounding) short.push({ name, lacking: rounded(aim - (partly ? next : had)) })
    share.held[name] = rounded(next)
    used[name] = rounded((used[name] ?? 0) - had + next)
  }
  if (amountNames.some((name) => share.held[name] !== before?.held[name])) {
    if (growing) share.grown = (before?.grown ?? 0) + 1
    share.charged = chargedOf(share, growing ? held : {})
  }
  const open = pool.open + (before === undefined ? 1 : 0) - (close ? 1 : 0)
  return { pool: { ...pool, used, open }, share, short }
}

/** What was charged so far, and with this change, of what is held then. */
const chargedOf = ({ held, charged = {} }: Share, now: Amounts): Amounts =>
  Object.fromEntries(
    amountNames.flatMap((name) => {
      const amount = Math.min(Math.max(charged[name] ?? 0, now[name] ?? 0), held[name] ?? 0)
      return amount > 0 ? [[name, amount]] : []
    }),
  )
