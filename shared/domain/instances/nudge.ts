import type { Key, Platform } from '../../platform/platform.ts'

const nudgeKey = (tenant: string, instance: string): Key => ({ pk: `${tenant}#instance#${instance}`, sk: 'nudge' })
/** Long enough for whoever waits to have seen it. */
const keepMs = 3_600_000

/** Something concerns an instance: a heartbeat of it that is held is answered now. Nobody may be waiting. */
export const nudge = async (
  { volatile, clock }: Pick<Platform, 'volatile' | 'clock'>,
  tenant: string,
  instance: string,
): Promise<void> => {
  const now = clock.now()
  const item = { ...nudgeKey(tenant, instance), type: 'nudge', value: now, expiresAt: now + keepMs }
  await volatile.write({ op: 'put', item, expect: 'any' })
}

/** What a waiter compares with. */
export const lastNudge = async (
  { volatile }: Pick<Platform, 'volatile'>,
  tenant: string,
  instance: string,
): Promise<string | undefined> => (await volatile.get(nudgeKey(tenant, instance)))?.rev

/** Resolves `true` with the next nudge after `than`, `false` when the time is over. */
export const untilNudged = async (
  { volatile }: Pick<Platform, 'volatile'>,
  { tenant, instance, than, ms }: { tenant: string; instance: string; than: string | undefined; ms: number },
): Promise<boolean> => (await volatile.waitForChange(nudgeKey(tenant, instance), than, ms))?.rev !== than
