import type { Key, Platform } from '../../platform/platform.ts'

const key = (tenant: string, agentName: string): Key => ({ pk: `${tenant}#cold-start#${agentName}`, sk: 'start' })

/** A start that has not come to a join after this time is none. */
const patienceMs = 180_000

/** A host starts copies of an agent of which none may be up: an answer to "why does it not run?". */
export const noteColdStart = async (
  { volatile, clock }: Pick<Platform, 'volatile' | 'clock'>,
  tenant: string,
  { agentName, count }: { agentName: string; count: number },
): Promise<void> => {
  const item = { ...key(tenant, agentName), type: 'cold-start', value: count, expiresAt: clock.now() + patienceMs }
  await volatile.write({ op: 'put', item, expect: 'any' })
}

/** How many copies of an agent are being started. */
export const coldStartsOf = async (
  { volatile }: Pick<Platform, 'volatile'>,
  tenant: string,
  agentName: string,
): Promise<number> => (await volatile.get<number>(key(tenant, agentName)))?.value ?? 0
