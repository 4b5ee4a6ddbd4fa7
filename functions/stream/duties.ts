import { processMemory } from '#shared/domain/process-memory.ts'
import type { Change, Platform } from '#shared/platform/platform.ts'

/** Something to do about a change. It may be done again. */
export type Duty = (platform: Platform, change: Change) => Promise<void> | void
export type Duties = Readonly<Record<string, Duty>>

/** The duties that were done for changes of which others failed: when those come again, they are not. */
const doneBefore = processMemory<Set<string>>()

const none: ReadonlySet<string> = new Set()

/** What was done for changes that came before, as far as this process remembers. */
const createMemory = (platform: Platform, changes: Change[]) => {
  const memory = doneBefore(platform.main)
  const of = (id: string): ReadonlySet<string> => (memory.size > 0 ? memory.get(id) : undefined) ?? none
  return {
    of,
    /** Keeps what was done for those behind the first so many, which are done with. */
    keep(complete: number, doneFor: (at: number) => string[]): void {
      for (const [at, { id }] of changes.entries())
        if (at < complete) memory.delete(id)
        else memory.set(id, new Set([...of(id), ...doneFor(at)]))
    },
    isEmpty: (): boolean => memory.size === 0,
  }
}

/**
 * Does every duty for the changes of one key, each in the order of the changes: one that fails stays behind alone.
 * Answers the ids of changes that must come again; what was done for them is not done again then, as far as this
 * process remembers. Most changes give most duties nothing to do: what answers no promise is not waited for.
 */
export const doDuties = async (platform: Platform, duties: Duties, changes: Change[]): Promise<string[]> => {
  const memory = createMemory(platform, changes)
  /** For how many changes each duty is done. */
  const done: Record<string, number> = {}
  let complete = changes.length
  for (const name in duties) {
    let at = 0
    for (const change of changes)
      try {
        const work = memory.of(change.id).has(name) ? undefined : duties[name]?.(platform, change)
        if (work !== undefined) await work
        at++
      } catch (error) {
        const { id } = change
        platform.telemetry.log('error', 'a change could not be projected', { id, duty: name, error: String(error) })
        break
      }
    done[name] = at
    complete = Math.min(complete, at)
  }
  if (complete < changes.length || !memory.isEmpty())
    memory.keep(complete, (at) => Object.keys(done).filter((name) => at < (done[name] ?? 0)))
  return changes.slice(complete).map(({ id }) => id)
}
