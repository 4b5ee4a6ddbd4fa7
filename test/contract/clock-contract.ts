import { describe, expect } from 'vitest'
import type { Clock } from '#shared/platform/platform.ts'
import { type Cannot, contractTest } from './contract-test.ts'

const days = 24 * 3_600_000

/** What `Clock` promises; a virtual clock passes too, when its time goes on by itself. */
export const clockContract = (name: string, make: () => Clock, { cannot }: { cannot?: Cannot } = {}): void => {
  describe(`clock: ${name}`, () => {
    const it = contractTest(cannot)

    it('tells milliseconds since the epoch', async () => {
      expect(make().now()).toBeGreaterThan(Date.UTC(2024, 0, 1))
      expect(make().now()).toBeLessThan(Date.UTC(2200, 0, 1))
    })

    it('sleeps for as long as it is told', async () => {
      const clock = make()
      const began = clock.now()
      await clock.sleep(60)
      expect(clock.now() - began).toBeGreaterThanOrEqual(58)
      expect(clock.now() - began).toBeLessThan(5000)
      for (const ms of [0, -5]) await clock.sleep(ms)
    })

    it('wakes sleepers in the order of their times', async () => {
      const clock = make()
      const woken: number[] = []
      await Promise.all([90, 10, 50].map((ms) => clock.sleep(ms).then(() => woken.push(ms))))
      expect(woken).toEqual([10, 50, 90])
    })

    it('stops sleeping when it is told to', async () => {
      const clock = make()
      const controller = new AbortController()
      const began = performance.now()
      const sleeping = clock.sleep(60_000, controller.signal)
      controller.abort()
      await expect(sleeping).rejects.toMatchObject({ name: 'AbortError' })
      await expect(clock.sleep(60_000, AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' })
      expect(performance.now() - began).toBeLessThan(2000)
    })

    it('does not wake from a sleep of months before its time', async () => {
      const clock = make()
      const controller = new AbortController()
      let woken = false
      const sleeping = clock.sleep(60 * days, controller.signal).then(
        () => {
          woken = true
        },
        () => undefined,
      )
      await clock.sleep(50)
      expect(woken).toBe(false)
      controller.abort()
      await sleeping
      expect(woken).toBe(false)
    })
  })
}
