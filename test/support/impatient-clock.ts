import type { Clock } from '#shared/platform/platform.ts'
import { createSystemClock } from '#shared/platform/system.ts'

/** Pauses up to this long are those between two looks. */
const longestLookMs = 500

/** The machine's own time, by which whoever looks again and again does so four times as often. */
export const anImpatientClock = (): Clock => {
  const { now, sleep } = createSystemClock()
  return { now, sleep: (ms, signal) => sleep(ms > longestLookMs ? ms : ms / 4, signal) }
}
