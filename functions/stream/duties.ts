import { processMemory } from '#shared/domain/process-memory.ts'
import type { Change, Platform } from '#shared/platform/platform.ts'

/** Something to do about a change. It may be done again. */
export type Duty = (platform: Platform, change: Change) => Promise<void> | void
export type Duties = Readonly<Record<string, Duty>>

/** The duties that were done for changes of which others failed: when those come again, they are not. */
const doneBefore = processMemory<Set<string>>()

type Progress = { done: Map<string, Set<string>>; changes: Change[] }

/** Does one duty for each change that it was not done for, in order; how many it is done for when it ends or fails. */
const doOne = async (
  platform: Platform,
  [name, duty]: [string, Duty],
  { done, changes }: Progress,
): Promise<number> => {
  for (const [at, change] of changes.entries())
    try {
      const before = done.get(change.id) ?? new Set()
      if (!before.has(name)) await duty(platform, change)
      done.set(change.id, before.add(name))
    } catch (error) {
      platform.telemetry.log('error', 'a change could not be projected', {
        id: change.id,
        duty: name,
        error: String(error),
      })
      return at
    }
  return changes.length
}

/**
 * Does every duty for the changes of one key, each in the order of the changes: one that fails stays behind alone.
 * Answers the ids of changes that must come again; what was done for them is not done again then, as far as this
 * process remembers.
 */
export const doDuties = async (platform: Platform, duties: Duties, changes: Change[]): Promise<string[]> => {
  const memory = doneBefore(platform.main)
  const done = new Map(changes.map(({ id }) => [id, memory.get(id) ?? new Set<string>()]))
  let complete = changes.length
  for (const duty of Object.entries(duties))
    complete = Math.min(complete, await doOne(platform, duty, { done, changes }))
  const ids = changes.map(({ id }) => id)
  for (const id of ids.slice(0, complete)) memory.delete(id)
  for (const id of ids.slice(complete)) memory.set(id, done.get(id) ?? new Set())
  return ids.slice(complete)
}
