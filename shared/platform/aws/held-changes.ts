import { idOfKey } from '../id-of-key.ts'
import type { Change } from '../platform.ts'

/** A change that was read; `after` is the sequence number of the record before it. */
export type ReadChange = { change: Change; after: string | undefined }

const keyOf = ({ change }: ReadChange): string => idOfKey(change.key)

const retryMs = { first: 50, most: 5000 }

/**
 * What was read of one shard and is not done yet. A change that fails holds back its own key alone: it rests a while,
 * then its first change is tried by itself. Everything else goes on.
 */
export const createHeldChanges = () => {
  let held: ReadChange[] = []
  const resting = new Map<string, { until: number; failures: number }>()

  const rest = (key: string, now: number): void => {
    const failures = (resting.get(key)?.failures ?? 0) + 1
    resting.set(key, { failures, until: now + Math.min(retryMs.first * 2 ** (failures - 1), retryMs.most) })
  }
  /** From its first failed change on a key stays, in order. */
  const stays = (given: Set<ReadChange>, failed: Set<string>, now: number) => {
    const stuck = new Set<string>()
    return (entry: ReadChange): boolean => {
      const key = keyOf(entry)
      if (!given.has(entry)) return true
      if (failed.has(entry.change.id) && !stuck.has(key)) {
        stuck.add(key)
        rest(key, now)
      }
      if (!stuck.has(key)) resting.delete(key)
      return stuck.has(key)
    }
  }

  return {
    size: (): number => held.length,
    add(entries: ReadChange[]): void {
      held.push(...entries)
    },
    /** What may be handed out now. */
    ready(now: number): ReadChange[] {
      const tried = new Set<string>()
      return held.filter((entry) => {
        const key = keyOf(entry)
        const rests = resting.get(key)
        const isNext = rests === undefined || (rests.until <= now && !tried.has(key))
        tried.add(key)
        return isNext
      })
    },
    /** Forgets what is done of what was handed out. */
    settle(given: ReadChange[], failed: Set<string>, now: number): void {
      held = held.filter(stays(new Set(given), failed, now))
    },
    /** Everything up to this sequence number is done; `last` is the latest that was read. */
    doneUpTo: (last: string | undefined): string | undefined => (held[0] === undefined ? last : held[0].after),
  }
}

export type HeldChanges = ReturnType<typeof createHeldChanges>
