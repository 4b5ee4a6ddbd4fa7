import type { Clock } from '#shared/platform/platform.ts'
import { createSystemClock } from '#shared/platform/system.ts'

/** The system's clock, to be put forward by a test. */
export const aSkewedClock = (): Clock & { forward(ms: number): void } => {
  const system = createSystemClock()
  let skew = 0
  return {
    now: () => system.now() + skew,
    sleep: (ms, signal) => system.sleep(ms, signal),
    forward(ms) {
      skew += ms
    },
  }
}
