import type { Clock } from '#shared/platform/platform.ts'
import { createSystemClock } from '#shared/platform/system.ts'

/** A clock that runs so many times as fast as the machine's. */
export const aFastClock = (times: number): Clock => {
  const clock = createSystemClock()
  const began = clock.now()
  return {
    now: () => began + (clock.now() - began) * times,
    sleep: (ms, signal) => clock.sleep(ms / times, signal),
  }
}
