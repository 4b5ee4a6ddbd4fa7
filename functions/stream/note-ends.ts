import { notesOf, takeNotes } from '#shared/domain/fan-out/note-ends.ts'
import type { Task } from '#shared/domain/tasks/task.ts'
import type { Change, Platform } from '#shared/platform/platform.ts'

type Moved = (change: Change) => Task | undefined

/** Tells batches and distributed tasks of what ended, each of all at once. Adds the keys of what has to come again. */
export const noteEnds = async (
  platform: Platform,
  { byKey, moved, undone }: { byKey: Map<string, Change[]>; moved: Moved; undone: Set<string> },
): Promise<void> => {
  const notes = [...byKey].flatMap(([key, changes]) =>
    changes.flatMap((change) => {
      const task = moved(change)
      return task === undefined ? [] : notesOf(task).map((note) => ({ ...note, key }))
    }),
  )
  const byOwner = Map.groupBy(notes, ({ tenant, owner }) => `${tenant} ${owner}`)
  await Promise.all(
    [...byOwner.values()].map((group) =>
      takeNotes(platform, group).catch((error: unknown) => {
        platform.telemetry.log('error', 'ends of rows were not noted', { error: String(error) })
        for (const { key } of group) undone.add(key)
      }),
    ),
  )
}
