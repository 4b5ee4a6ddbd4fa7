import type { Platform, Stored } from '../../platform/platform.ts'
import { type Caller, stamp } from '../caller.ts'
import { compete } from '../contention.ts'
import { DomainError, invalid } from '../domain-error.ts'
import { type IfMatch, requireRev } from '../require-rev.ts'
import type { Limit, Limits, Rate } from './limit.ts'
import { findLimits, type LimitsRow, saveLimits } from './limits-store.ts'
import { requireAgents } from './require-agents.ts'

type Patched<T> = { [K in keyof T]?: T[K] | null }
/** A merge patch: what is left out stays, `null` removes. */
export type LimitsPatch = {
  tenant?: Patched<Limit> | null
  agents?: Record<string, Patched<Limit> | null> | null
  keys?: Record<string, Patched<Limit> | null> | null
  defaultKey?: Patched<Limit> | null
  submitRate?: Rate | null
  prices?: Record<string, number | null> | null
}

/** A record of all limits stays a small item. */
const mostNamed = 1000

type Mergeable = Record<string, unknown>
const isMergeable = (value: unknown): value is Mergeable => typeof value === 'object' && value !== null

/** RFC 7396, but a rate is one thing: it is replaced as a whole. */
const merge = (before: unknown, patch: unknown, { depth, now }: { depth: number; now: number }): unknown => {
  if (!isMergeable(patch)) return patch
  if (depth === 0) return rateSince(before as Rate | undefined, patch as Rate, now)
  const merged = new Map(Object.entries(isMergeable(before) ? before : {}))
  for (const [name, value] of Object.entries(patch)) {
    if (value === undefined) continue
    if (value === null) merged.delete(name)
    else merged.set(name, merge(merged.get(name), value, { depth: depth - 1, now }))
  }
  return Object.fromEntries(merged)
}

/** One that stays as it is keeps its tokens. */
const rateSince = (before: Rate | undefined, { count, seconds }: Rate, now: number): Rate =>
  before?.count === count && before.seconds === seconds ? before : { count, seconds, since: now }

/** How deep the parts of a patch are merged. */
const depths: Record<keyof Limits, number> = {
  tenant: 1,
  defaultKey: 1,
  agents: 2,
  keys: 2,
  submitRate: 0,
  prices: 1,
}

/** The limits after a patch. */
export const patchLimits = (limits: Limits, patch: LimitsPatch, now: number): Limits => {
  const next: Mergeable = { ...limits }
  for (const [name, value] of Object.entries(patch)) {
    if (value === undefined) continue
    if (value === null) delete next[name]
    else next[name] = merge(next[name], value, { depth: depths[name as keyof Limits], now })
  }
  return next as Limits
}

const requireFew = (limits: Limits): void => {
  for (const field of ['agents', 'keys', 'prices'] as const) {
    const count = Object.keys(limits[field] ?? {}).length
    if (count > mostNamed)
      throw invalid(`#/${field}`, 'TOO_MANY', `${count} ${field} would have a limit of their own; at most ${mostNamed}`)
  }
}

/** The rev of limits that nobody has set yet. */
export const unsetRev = 'none'

/** Changes what the patch names. `ifMatch` is the rev that the caller saw. The projector wakes who has room now. */
export const changeLimits = async (
  ports: Pick<Platform, 'main' | 'clock' | 'random'>,
  caller: Caller,
  { patch, ifMatch }: { patch: LimitsPatch; ifMatch?: IfMatch },
): Promise<Stored<LimitsRow>> => {
  await requireAgents(ports, caller.tenant, patch.agents ?? {})
  return compete(ports, `the limits of ${caller.tenant}`, async () => {
    const before = await findLimits(ports, caller.tenant)
    const rev = before?.rev ?? unsetRev
    requireRev('the limits', { rev }, ifMatch)
    const limits = patchLimits(before?.value ?? {}, patch, ports.clock.now())
    requireFew(limits)
    const row = { ...limits, tenantId: caller.tenant, stamp: stamp(caller, 'limits.patch') }
    try {
      return { done: await saveLimits(ports, before, row) }
    } catch (error) {
      const lost = error instanceof DomainError && error.code === 'PRECONDITION_FAILED'
      if (!lost || ifMatch !== undefined) throw error
      return undefined
    }
  })
}
