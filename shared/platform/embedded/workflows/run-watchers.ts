import type { Clock, RunRef } from '../../platform.ts'
import { runPk } from './rows.ts'

type Watch = { woken: Promise<void>; end: () => void }

/** Whoever waits for more to happen to a run is woken by what is written of it. */
export const createRunWatchers = ({ clock }: { clock: Clock }) => {
  const waiting = new Map<string, Set<() => void>>()

  /** Resolves when something was written of the run since this call, or after `ms`. */
  const watch = (ref: RunRef, ms: number, signal?: AbortSignal): Watch => {
    const pk = runPk(ref)
    const over = new AbortController()
    const { promise, resolve } = Promise.withResolvers<void>()
    const wakers = waiting.get(pk) ?? new Set()
    waiting.set(pk, wakers.add(resolve))
    const end = (): void => {
      over.abort()
      wakers.delete(resolve)
      if (wakers.size === 0 && waiting.get(pk) === wakers) waiting.delete(pk)
      resolve()
    }
    signal?.addEventListener('abort', end, { once: true, signal: over.signal })
    if (signal?.aborted) end()
    else clock.sleep(ms, over.signal).then(resolve, () => undefined)
    return { woken: promise, end }
  }
  return {
    watch,
    wake(ref: RunRef): void {
      for (const resolve of waiting.get(runPk(ref)) ?? []) resolve()
    },
  }
}
