import type { DatabaseSync } from 'node:sqlite'
import type { Row } from './sqlite-statements.ts'

/**
 * So long a change may be what another one says was there before. The log is kept for as much longer than it is read:
 * see `purge.ts`.
 */
export const referredToMs = 3_600_000
const markEveryMs = 60_000

type Mark = { at: number; seq: number }

/** Which changes are new enough to be referred to, to the minute; none that another process has made. */
const createMarks = () => {
  let marks: Mark[] = []
  return {
    note(at: number, seq: number): void {
      if (at < (marks.at(-1)?.at ?? Number.NEGATIVE_INFINITY) + markEveryMs) return
      marks = [...marks.filter((mark) => mark.at > at - referredToMs), { at, seq }]
    },
    isRecent: (seq: number, now: number): boolean => {
      const first = marks.find(({ at }) => at > now - referredToMs)
      return first !== undefined && seq >= first.seq
    },
    clear(): void {
      marks = []
    },
  }
}

type NewChange = { now: number; type: string; before?: Row; after?: string }

/**
 * The log of changes, in the order of the commits. What was there before is what an earlier change of the same row has
 * left: as long as that is known it is referred to, for it is half of what would be written.
 */
export const prepareChanges = (database: DatabaseSync) => {
  const newest = database.prepare('SELECT max(seq) AS seq FROM changes')
  const insert = database.prepare(
    'INSERT INTO changes (seq, at, type, before, previous, after) VALUES (?, ?, ?, ?, ?, ?)',
  )
  // The newest row stays, so that no number is ever given twice.
  const purge = database.prepare(
    `DELETE FROM changes WHERE at < ? AND seq < (SELECT max(seq) FROM changes)
     AND seq IN (SELECT seq FROM changes ORDER BY seq LIMIT ?)`,
  )
  const save = database.prepare('INSERT OR REPLACE INTO checkpoints (consumer, seq) VALUES (?, ?)')
  const readLast = (): number => (newest.get() as { seq: number | null }).seq ?? 0
  const marks = createMarks()
  let seq = readLast()

  const isReferable = (row: Row | undefined, now: number): row is Row & { change: number } =>
    row !== undefined && row.change !== null && marks.isRecent(row.change, now)
  return {
    /** Answers the number of the change. */
    add({ now, type, before, after = undefined }: NewChange): number {
      marks.note(now, ++seq)
      if (isReferable(before, now)) insert.run(seq, now, type, null, before.change, after ?? null)
      else insert.run(seq, now, type, before?.item ?? null, null, after ?? null)
      return seq
    },
    purge: (before: number, limit: number): number => Number(purge.run(before, limit).changes),
    saveCheckpoint: (consumer: string, upTo: number): void => void save.run(consumer, upTo),
    /** The number of the newest one. */
    last: (): number => seq,
    /** Goes on behind what is stored, after a rollback. */
    rewind(): void {
      marks.clear()
      seq = readLast()
    },
  }
}
