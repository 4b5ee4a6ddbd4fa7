import { createHeap, type Heap } from './heap.ts'
import { createLine, type Line, type Place } from './line.ts'

/** One message; `delivery` grows with each time it is handed out, so that an old receipt means nothing. */
export type Held = {
  seq: number
  body: string
  group: string
  order: number
  for: string | undefined
  sentAt: number
  /** Since when it waits. */
  queuedAt: number
  receives: number
  delivery: number
  at?: number
  age?: Place<Held>
}

/** What waits of one group. */
type Rank = { group: string; waiting: Heap<Held>; level?: Line<Rank>; place?: Place<Rank> }

/** Ranks by how much their group has in flight; at each level they take turns. */
const createLevels = () => {
  const levels = new Map<number, Line<Rank>>()
  let lowest = 0
  const leave = (rank: Rank): void => {
    if (rank.place) rank.level?.leave(rank.place)
    rank.place = undefined
  }
  const findLowest = (): Line<Rank> | undefined => {
    for (; levels.size > 0; lowest++) {
      const level = levels.get(lowest)
      if (level && !level.isEmpty()) return level
      levels.delete(lowest)
    }
    lowest = 0
    return undefined
  }
  return {
    leave,
    /** To the end of its level. */
    join(rank: Rank, inFlight: number): void {
      leave(rank)
      const level = levels.get(inFlight) ?? createLine<Rank>()
      levels.set(inFlight, level)
      rank.level = level
      rank.place = level.push(rank)
      lowest = Math.min(lowest, inFlight)
    },
    first: (): Rank | undefined => findLowest()?.first(),
    lowest: (): number => (findLowest() ? lowest : Number.POSITIVE_INFINITY),
  }
}

const earlier = (a: Held, b: Held): boolean => a.order < b.order || (a.order === b.order && a.seq < b.seq)

/**
 * What waits for anybody, or for one receiver: groups take turns, the one with the least in flight first; inside a
 * group the lowest `order` first, then as they came.
 */
export const createShelf = (inFlightOf: (group: string) => number) => {
  const ranks = new Map<string, Rank>()
  const ages = createLine<Held>()
  const levels = createLevels()

  /** Its group's turn comes after that of all others with as much in flight. */
  const place = (group: string): void => {
    const rank = ranks.get(group)
    if (rank === undefined) return
    if (rank.waiting.isEmpty()) {
      levels.leave(rank)
      ranks.delete(group)
    } else levels.join(rank, inFlightOf(group))
  }
  return {
    isEmpty: (): boolean => ages.isEmpty(),
    /** Since when the oldest waits. */
    oldest: (): number | undefined => ages.first()?.queuedAt,
    /** The least that a waiting group has in flight. */
    level: (): number => levels.lowest(),
    first: (): Held | undefined => levels.first()?.waiting.first(),
    place,
    /** How many come before one, when its group and the others take turns from now on. */
    ahead(held: Held): number {
      const own = ranks.get(held.group)?.waiting.countBefore(held) ?? 0
      const others = [...ranks.values()].filter(({ group }) => group !== held.group)
      return own + others.reduce((sum, { waiting }) => sum + Math.min(waiting.size(), own), 0)
    },
    add(held: Held): void {
      const { group } = held
      const rank: Rank = ranks.get(group) ?? { group, waiting: createHeap(earlier) }
      ranks.set(group, rank)
      rank.waiting.push(held)
      held.age = ages.push(held)
      if (rank.place === undefined) place(group)
    },
    /** Takes one out; its group is to be placed anew. */
    remove(held: Held): void {
      ranks.get(held.group)?.waiting.leave(held)
      if (held.age) ages.leave(held.age)
      held.age = undefined
    },
  }
}

export type Shelf = ReturnType<typeof createShelf>
