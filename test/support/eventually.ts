import { setTimeout as sleep } from 'node:timers/promises'

/** Repeats an assertion until it holds; its last failure is thrown when the time is over. */
export const eventually = async <T>(assertion: () => T | Promise<T>, ms = 25_000): Promise<T> => {
  const end = Date.now() + ms
  for (let pause = 2; ; pause = Math.min(pause * 2, 100))
    try {
      return await assertion()
    } catch (error) {
      if (Date.now() >= end) throw error
      await sleep(pause)
    }
}
