import type { Key, Platform } from '../../platform/platform.ts'
import { processMemory } from '../process-memory.ts'
import { limitHolderPk } from '../tasks/holders.ts'

type Ports = Pick<Platform, 'volatile' | 'clock'>

const heldPk = (tenant: string): string => `${tenant}#limits#held`
const heldKey = (tenant: string, limit: string): Key => ({ pk: heldPk(tenant), sk: limit })

/** A limit that held nothing for so long is forgotten. */
const keepMs = 2 * 24 * 3_600_000
const noteAgainMs = 3_600_000
const noted = processMemory<number>()

/** Remembers that a limit holds tasks: who changes limits wakes them. */
export const noteHeld = async ({ volatile, clock }: Ports, tenant: string, limit: string): Promise<void> => {
  const known = noted(volatile)
  const id = `${tenant}#${limit}`
  const now = clock.now()
  if (now - (known.get(id) ?? 0) < noteAgainMs) return
  const item = { ...heldKey(tenant, limit), type: 'held-limit', value: limit, expiresAt: now + keepMs }
  await volatile.write({ op: 'put', item, expect: 'any' })
  known.set(id, now)
}

/** Limits that held tasks of late; up to 1,000. */
export const limitsThatHeld = async ({ volatile }: Pick<Platform, 'volatile'>, tenant: string): Promise<string[]> =>
  (await volatile.query<string>({ pk: heldPk(tenant), limit: 1000 })).items.map(({ value }) => value)

/** How many are counted; more than these are "so many or more". */
export const mostCounted = 1000

/** How many tasks a limit holds, up to `mostCounted`. */
export const countHeldBy = async ({ main }: Pick<Platform, 'main'>, tenant: string, limit: string): Promise<number> =>
  (await main.queryKeys({ index: 'holder', pk: limitHolderPk(tenant, limit), limit: mostCounted })).items.length
