import {
  type Add,
  type Bound,
  type Change,
  type Conflict,
  type Expect,
  type Indexed,
  type IndexName,
  indexNames,
  type Key,
  type Outcome,
  type Page,
  type Query,
  type Rev,
  type Stored,
  type Write,
} from '#shared/platform/platform.ts'
import { checkTransaction, checkWrite, keyOf } from '#shared/platform/write-rules.ts'
import { createPlaces, type Places } from './places.ts'
import type { Timeline } from './timeline.ts'

/** One acknowledged change of an item; `at` is the virtual time. */
export type Commit = Omit<Change, 'id'> & { at: number }

export type SimTableOptions = {
  timeline: Timeline
  mint: () => Rev
  /** How long, in milliseconds, an index knows nothing of a write. */
  lag?: () => number
  onCommit?: (commit: Commit) => void
  /** Sabotage: writes happen whatever rev is stored. */
  ignoresRevs?: boolean
}

export type Backup = Map<string, Stored>

const idOf = (pk: string, sk: string): string => `${pk}\n${sk}`
const defaultLimit = 100

/** A table in memory: every call happens at once; delays, failures and crashes are the caller's. */
export const createSimTable = ({ timeline, mint, lag, onCommit, ignoresRevs = false }: SimTableOptions) => {
  let rows = new Map<string, Stored>()
  const byKey = createPlaces()
  const indexes = Object.fromEntries(indexNames.map((name) => [name, createPlaces()])) as Record<IndexName, Places>
  const waiters = new Map<string, Set<() => void>>()

  const live = (id: string): Stored | undefined => {
    const row = rows.get(id)
    return row?.expiresAt === undefined || row.expiresAt > timeline.now() ? row : undefined
  }
  const get = <V>({ pk, sk }: Key): Stored<V> | undefined => live(idOf(pk, sk)) as Stored<V> | undefined
  const fits = (expect: Expect, current: Stored | undefined): boolean => {
    if (expect === 'any') return true
    if (expect === 'absent') return current === undefined
    return ignoresRevs || current?.rev === expect.rev
  }
  /** Brings the indexes to where the row is now. */
  const place = (id: string): void => {
    const index = rows.get(id)?.index
    for (const name of indexNames) indexes[name].move(id, index?.[name])
  }
  const commit = (id: string, key: Key, after: Stored | undefined): void => {
    const before = rows.get(id)
    if (after) rows.set(id, after)
    else rows.delete(id)
    if (before === undefined || after === undefined) byKey.move(id, after && { pk: key.pk, sk: key.sk })
    const late = lag?.() ?? 0
    if (late > 0) timeline.at(timeline.now() + late, () => place(id))
    else if (before?.index !== undefined || after?.index !== undefined) place(id) // most items are in none
    const type = (after ?? before)?.type ?? ''
    onCommit?.({ at: timeline.now(), key, type, before, after })
    const waiting = waiters.get(id)
    waiters.delete(id)
    for (const wake of waiting ?? []) wake()
    waiting?.clear()
  }
  /** The counter after an addition, unless a bound is in the way. */
  const counted = ({ key, by, bound: { min, max } = {} }: Add): Stored<number> | undefined => {
    const current = get<number>(key)
    const value = (current?.value ?? 0) + by
    if ((min !== undefined && value < min) || (max !== undefined && value > max)) return undefined
    return { ...key, type: 'counter', ...current, value, rev: mint() }
  }
  const store = (write: Write | Add): Rev => {
    const { pk, sk } = keyOf(write)
    const id = idOf(pk, sk)
    if (write.op === 'check') return ''
    if (write.op === 'add') {
      const counter = counted(write)
      commit(id, { pk, sk }, counter)
      return counter?.rev ?? ''
    }
    if (write.op === 'delete') {
      if (rows.has(id)) commit(id, { pk, sk }, undefined)
      return ''
    }
    const rev = write.rev ?? mint()
    commit(id, { pk, sk }, { ...write.item, rev })
    return rev
  }
  const isOwn = (write: Write | Add, current: Stored | undefined): boolean =>
    write.op === 'put' && write.rev !== undefined && current?.rev === write.rev
  /** Whether every put of it is there: it was written before. */
  const isRepeated = (writes: (Write | Add)[], found: (Stored | undefined)[]): boolean =>
    writes.some(({ op }) => op === 'put') && writes.every((write, at) => write.op !== 'put' || isOwn(write, found[at]))
  const writeAll = (writes: (Write | Add)[]): Outcome => {
    const found = writes.map((write) => get(keyOf(write)))
    if (isRepeated(writes, found))
      return { ok: true, revs: writes.map((write) => (write.op === 'put' ? (write.rev ?? '') : '')) }
    const conflicts = writes.flatMap((write, at): Conflict[] =>
      (write.op === 'add' ? counted(write) : fits(write.expect, found[at])) ? [] : [{ at, current: found[at] }],
    )
    return conflicts.length > 0 ? { ok: false, conflicts } : { ok: true, revs: writes.map(store) }
  }

  const examine = ({ index, pk, after, before, prefix = '', order, limit, cursor }: Query) => {
    const entries = (index === undefined ? byKey : indexes[index]).list(pk)
    const wanted = entries.filter(
      ({ sk }) => sk.startsWith(prefix) && (after === undefined || sk > after) && (before === undefined || sk < before),
    )
    if (order === 'descending') wanted.reverse()
    const start = cursor === undefined ? 0 : wanted.findIndex(({ sk, id }) => isPast(`${sk} ${id}`, cursor, order))
    const examined = start === -1 ? [] : wanted.slice(start, start + (limit ?? defaultLimit))
    const last = examined.at(-1)
    const more = last !== undefined && start + examined.length < wanted.length
    return { examined, ...(more && { cursor: `${last.sk} ${last.id}` }) }
  }

  const query = <V>({ index, pk, ...range }: Query): Page<V> => {
    const { examined, ...more } = examine({ index, pk, ...range })
    const items = examined.flatMap(({ sk, id }) => {
      const row = live(id)
      const there = index === undefined || (row?.index?.[index]?.pk === pk && row.index[index].sk === sk)
      return row && there ? [row as Stored<V>] : [] // one that has left its place since is found at its new one
    })
    return { items, ...more }
  }

  const queryKeys = (question: Query & { index: IndexName }) => {
    const { examined, ...more } = examine(question)
    const items = examined.flatMap(({ sk: place, id }): Indexed[] => {
      const row = rows.get(id)
      return row ? [{ pk: row.pk, sk: row.sk, place }] : []
    })
    return { items, ...more }
  }

  return {
    get,
    getMany: <V>(keys: Key[]) => keys.map((key) => get<V>(key)),
    write(write: Write): Outcome {
      checkWrite(write)
      return writeAll([write])
    },
    transact(writes: (Write | Add)[]): Outcome {
      checkTransaction(writes)
      return writeAll(writes)
    },
    /** Any number of writes, all or nothing. */
    writeTogether: (writes: Write[]): Outcome => writeAll(writes),
    query,
    queryKeys,
    add(key: Key, by: number, bound?: Bound): number | undefined {
      const counter = counted({ op: 'add', key, by, bound })
      if (counter) commit(idOf(key.pk, key.sk), key, counter)
      return counter?.value
    },
    waitForChange: <V>(key: Key, than: Rev | undefined, ms: number): Promise<Stored<V> | undefined> => {
      const current = get<V>(key)
      if (current?.rev !== than || ms <= 0) return Promise.resolve(current)
      return new Promise((resolve) => {
        const id = idOf(key.pk, key.sk)
        const wakes = waiters.get(id) ?? new Set()
        const wake = (): void => resolve(get<V>(key))
        waiters.set(id, wakes.add(wake))
        timeline.at(timeline.now() + ms, () => (wakes.delete(wake) ? wake() : false))
      })
    },
    scan: ({ segment }: { segment: number }): Page => ({ items: segment === 0 ? [...rows.values()] : [] }),
    /** Everything there is, whether or not its time is over. */
    rows: (): Iterable<Stored> => rows.values(),
    backup: (): Backup => new Map(rows),
    restore(backup: Backup): void {
      const known = new Set([...rows.keys(), ...backup.keys()])
      rows = new Map(backup)
      for (const id of known) {
        const [pk = '', sk = ''] = id.split('\n')
        byKey.move(id, rows.has(id) ? { pk, sk } : undefined)
        place(id)
      }
    },
  }
}
export type SimTable = ReturnType<typeof createSimTable>

const isPast = (place: string, cursor: string, order: Query['order']): boolean =>
  order === 'descending' ? place < cursor : place > cursor
