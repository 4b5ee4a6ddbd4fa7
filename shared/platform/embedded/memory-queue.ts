import { createShelf, type Held, type Shelf } from './shelf.ts'

export type { Held } from './shelf.ts'

/**
 * One queue: what anybody may have, and beside it what is kept for one receiver each. A body that already waits is not
 * queued twice.
 */
export const createMemoryQueue = () => {
  const counts = new Map<string, number>()
  const bodies = new Map<string, Held>()
  const inFlight = new Map<number, Held>()
  const newShelf = (): Shelf => createShelf((group) => counts.get(group) ?? 0)
  const common = newShelf()
  const kept = new Map<string, Shelf>()
  let keptFirst = false

  const count = (group: string, by: number): void => {
    const now = (counts.get(group) ?? 0) + by
    if (now > 0) counts.set(group, now)
    else counts.delete(group)
    common.place(group)
    for (const shelf of kept.values()) shelf.place(group)
  }
  const shelfOf = (receiver: string | undefined): Shelf => {
    if (receiver === undefined) return common
    const shelf = kept.get(receiver) ?? newShelf()
    kept.set(receiver, shelf)
    return shelf
  }
  const add = (held: Held): void => {
    bodies.set(held.body, held)
    shelfOf(held.for).add(held)
  }
  const remove = (held: Held): void => {
    bodies.delete(held.body)
    const shelf = shelfOf(held.for)
    shelf.remove(held)
    shelf.place(held.group)
    if (held.for !== undefined && shelf.isEmpty()) kept.delete(held.for)
  }
  /** Whoever has the quieter group; where both are as quiet, they take turns. */
  const next = (receiver: string | undefined): Held | undefined => {
    const own = receiver === undefined ? undefined : kept.get(receiver)
    if (own === undefined) return common.first()
    if (own.level() !== common.level()) return (own.level() < common.level() ? own : common).first()
    keptFirst = !keptFirst
    return (keptFirst ? own : common).first()
  }

  return {
    waiting: (): number => bodies.size,
    inFlight: (): number => inFlight.size,
    /** Whether something waits that anybody may have. */
    isOpen: (): boolean => !common.isEmpty(),
    hasFor: (receiver: string | undefined): boolean =>
      !common.isEmpty() || (receiver !== undefined && kept.has(receiver)),
    /** Since when the oldest waits that a receiver may have. */
    oldestFor: (receiver: string | undefined): number =>
      Math.min(
        common.oldest() ?? Number.POSITIVE_INFINITY,
        (receiver === undefined ? undefined : kept.get(receiver)?.oldest()) ?? Number.POSITIVE_INFINITY,
      ),

    /** How many come before a body that waits. */
    ahead(body: string): number | undefined {
      const held = bodies.get(body)
      return held && shelfOf(held.for).ahead(held)
    },

    /** Answers whether there is something new to hand out; one that waits already is moved to where it is sent now. */
    push(held: Held): boolean {
      const known = bodies.get(held.body)
      if (known === undefined) add(held)
      else if (held.seq < known.seq || (known.for === held.for && known.order === held.order)) return false
      else {
        remove(known)
        add({ ...known, for: held.for, order: held.order, queuedAt: held.queuedAt })
      }
      return true
    },

    /** Hands the next message out. */
    take(receiver?: string): Held | undefined {
      const held = next(receiver)
      if (held === undefined) return undefined
      remove(held)
      held.receives++
      held.delivery++
      inFlight.set(held.seq, held)
      count(held.group, 1)
      return held
    },

    /** Ends a delivery; `undefined` when that delivery is over already. */
    settle(seq: number, delivery: number): Held | undefined {
      const held = inFlight.get(seq)
      if (held === undefined || held.delivery !== delivery) return undefined
      inFlight.delete(seq)
      count(held.group, -1)
      return held
    },
  }
}

export type MemoryQueue = ReturnType<typeof createMemoryQueue>
