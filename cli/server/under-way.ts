import type { Platform } from '#shared/platform/platform.ts'

/** Work that is done side by side, so much at a time: what takes long holds nothing else up. */
export const createUnderWay = ({ telemetry, clock }: Pick<Platform, 'telemetry' | 'clock'>, most: number) => {
  const all = new Set<Promise<void>>()
  return {
    /** Waits until there is room; answers for how many. */
    async room(): Promise<number> {
      if (all.size >= most) await Promise.race(all)
      return most - all.size
    },
    /** `what` is said of it when it fails. */
    begin(what: string, work: Promise<void>): void {
      const one = work
        .catch((error: unknown) => telemetry.log('error', what, { error: String(error) }))
        .finally(() => all.delete(one))
      all.add(one)
    },
    /** Waits until all of it has ended, `graceMs` at the most. */
    async end(graceMs?: number): Promise<void> {
      if (all.size === 0) return
      const ended = Promise.all(all).then(() => undefined)
      await (graceMs === undefined ? ended : Promise.race([ended, clock.sleep(graceMs)]))
    },
  }
}
