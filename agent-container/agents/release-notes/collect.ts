import { type Effect, type GroupName, groups, isRelease } from './groups.ts'
import { type Change, sameHeader } from './read-commit.ts'

export type Collected = {
  /** Newest first; at most `maxChanges` of them. */
  changes: Change[]
  /** Of each group, counted also beyond `maxChanges`. */
  counts: Map<GroupName, number>
  effects: Map<Effect, number>
  breaking: number
  conventional: number
  /** All that were read, those that took each other back included. */
  commits: number
}

type Pending = { change: Change; done: boolean }

/**
 * Takes changes newest first, one at a time. A commit and its revert leave nothing behind; so does a revert of a
 * revert, and the change it was about stays.
 */
export const createCollector = ({ maxChanges = 20_000 } = {}) => {
  const collected: Collected = {
    ...{ changes: [], counts: new Map(), effects: new Map() },
    ...{ breaking: 0, conventional: 0, commits: 0 },
  }
  const byHash = new Map<string, Pending>()
  const byHeader = new Map<string, Pending>()
  const pending: Pending[] = []

  const keep = (change: Change) => {
    if (isRelease(change.header)) return
    increase(collected.counts, change.group)
    increase(collected.effects, groups[change.group].effect)
    collected.breaking += change.breaking.length > 0 ? 1 : 0
    collected.conventional += change.conventional ? 1 : 0
    if (collected.changes.length < maxChanges || change.breaking.length > 0) collected.changes.push(change)
  }
  const revertOf = (change: Change): Pending | undefined => {
    const hash = [...byHash.keys()].find((one) => change.hash.startsWith(one))
    const header = [...byHeader.keys()].find((one) => sameHeader(one, change.header))
    const found = (hash && byHash.get(hash)) || (header && byHeader.get(header)) || undefined
    if (hash) byHash.delete(hash)
    else if (header) byHeader.delete(header)
    return found
  }
  const remember = (change: Change) => {
    const one = { change, done: false }
    pending.push(one)
    for (const { hash, header } of change.reverts) {
      if (hash) byHash.set(hash, one)
      else if (header) byHeader.set(header, one)
    }
  }

  return {
    add: (change: Change): void => {
      collected.commits++
      const revert = revertOf(change)
      if (revert) revert.done = true
      else if (change.reverts.length > 0) remember(change)
      else keep(change)
    },
    /** Reverts of what was released before are changes themselves. */
    end: (): Collected => {
      for (const { change, done } of pending.splice(0)) if (!done) keep(change)
      return collected
    },
  }
}

const increase = <K>(counts: Map<K, number>, key: K) => counts.set(key, (counts.get(key) ?? 0) + 1)
