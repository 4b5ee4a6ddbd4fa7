import type { Clock } from '#shared/platform/platform.ts'
import { createSystemClock } from '#shared/platform/system.ts'

/** A clock that stands still until a test puts it forward. */
export const aSetClock = (): Clock & { forward(ms: number): void } => {
  const system = createSystemClock()
  let now = system.now()
  return {
    now: () => now,
    sleep: (ms, signal) => system.sleep(ms, signal),
    forward(ms) {
      now += ms
    },
  }
}
