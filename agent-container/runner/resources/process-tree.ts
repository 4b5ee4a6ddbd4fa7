import { type ProcessRow, variableOf } from './processes.ts'

const idOf = ({ pid, startedAt }: ProcessRow): string => `${pid} ${startedAt}`

/** What processes have in one variable of the environment that they began with; asked once of each. */
export const createMarks = (name: string) => {
  const known = new Map<string, string | undefined>()
  return {
    of(row: ProcessRow): string | undefined {
      const id = idOf(row)
      if (!known.has(id)) known.set(id, variableOf(row.pid, name))
      return known.get(id)
    },
    forgetEnded(rows: ProcessRow[]): void {
      const ids = new Set(rows.map(idOf))
      for (const id of known.keys()) if (!ids.has(id)) known.delete(id)
    },
  }
}

export type Marks = ReturnType<typeof createMarks>

/**
 * The processes of one task: its first one, what is below it, what is in its group, and what left both but carries the
 * task's mark in its environment. Never those below the first process of the machine, which are all.
 */
export const membersOf = (rows: ProcessRow[], root: number, isMarked: (row: ProcessRow) => boolean): ProcessRow[] => {
  if (!(root > 1)) return rows.filter(isMarked)
  const below = new Set([root])
  for (let size = 0; size !== below.size; ) {
    size = below.size
    for (const row of rows) if (below.has(row.parent)) below.add(row.pid)
  }
  return rows.filter((row) => below.has(row.pid) || row.group === root || isMarked(row))
}
