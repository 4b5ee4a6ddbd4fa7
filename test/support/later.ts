import type { Clock } from '#shared/platform/platform.ts'

/** Does something at a time that is so many milliseconds later for all who share the clock, on any host. */
export const later = async <T>(clock: Clock, ms: number, work: () => Promise<T>): Promise<T> => {
  const { now } = clock
  clock.now = () => now() + ms
  try {
    return await work()
  } finally {
    clock.now = now
  }
}
