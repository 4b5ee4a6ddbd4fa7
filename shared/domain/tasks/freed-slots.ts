import type { Table } from '../../platform/platform.ts'
import { processShared } from '../process-memory.ts'

/** Calls of this process that wait for a slot of an instance to be free again, by the instance. */
const waiting = processShared<Set<() => void>>()

/** A lease of an instance is over: calls that wait in this process for its room look again. */
export const tellFreed = (volatile: Table, instance: string): void => {
  for (const wake of waiting(volatile).get(instance) ?? []) wake()
}

/** Runs `work` with a signal that aborts when a slot of the instance is freed, or with `outer`. */
export const untilFreed = async <T>(
  volatile: Table,
  { instance, outer }: { instance: string; outer: AbortSignal | undefined },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> => {
  const freed = new AbortController()
  const wake = (): void => freed.abort('freed')
  const calls = waiting(volatile)
  const own = calls.get(instance) ?? new Set()
  calls.set(instance, own.add(wake))
  try {
    return await work(outer ? AbortSignal.any([outer, freed.signal]) : freed.signal)
  } finally {
    own.delete(wake)
    if (own.size === 0 && calls.get(instance) === own) calls.delete(instance)
  }
}
