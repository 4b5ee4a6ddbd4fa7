import { idOfKey } from '../id-of-key.ts'
import type { Change } from '../platform.ts'

export type Numbered = { seq: number; change: Change }
type Line = { changes: Numbered[]; failures: number; dueAt: number }

const keyOf = ({ change }: Numbered): string => idOfKey(change.key)
const backOff = { firstMs: 50, mostMs: 5000 }

/** The changes that wait for a failed one of the same key: one line a key, each with its own back-off. */
export const createFeedLines = () => {
  const lines = new Map<string, Line>()
  let count = 0

  /** What may be handled at once; what belongs to a line is put at its end. */
  const sort = (changes: Numbered[]): Numbered[] => {
    if (lines.size === 0) return changes
    return changes.filter((numbered) => {
      const line = lines.get(keyOf(numbered))
      line?.changes.push(numbered)
      if (line) count++
      return line === undefined
    })
  }
  const extend = (numbered: Numbered, failures: number, now: number): void => {
    const key = keyOf(numbered)
    const ms = Math.min(backOff.firstMs * 2 ** failures, backOff.mostMs)
    const line = lines.get(key) ?? { changes: [], failures: failures + 1, dueAt: now + ms }
    line.changes.push(numbered)
    lines.set(key, line)
    count++
  }

  return {
    sort,
    /** From the first failed change of each key on, everything waits. */
    hold(changes: Numbered[], failed: Set<string>, failures: number, now: number): void {
      const stuck = new Set<string>()
      for (const numbered of changes) {
        if (failed.has(numbered.change.id)) stuck.add(keyOf(numbered))
        if (stuck.has(keyOf(numbered))) extend(numbered, failures, now)
      }
    },
    /** Takes out the lines whose time has come. */
    takeDue(now: number): Line[] {
      const due = [...lines].filter(([, { dueAt }]) => dueAt <= now)
      for (const [key, line] of due) {
        lines.delete(key)
        count -= line.changes.length
      }
      return due.map(([, line]) => line)
    },
    count: (): number => count,
    nextDueAt: (): number => Math.min(...[...lines.values()].map(({ dueAt }) => dueAt)),
    /** The first change that is not done. */
    firstSeq: (): number => Math.min(...[...lines.values()].map(({ changes }) => changes[0]?.seq ?? Infinity)),
  }
}
