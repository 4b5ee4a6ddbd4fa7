import { createLine, type Line, type Place } from './line.ts'

/** One message; `delivery` grows with each time it is handed out, so that an old receipt means nothing. */
export type Held = { seq: number; body: string; group: string; sentAt: number; receives: number; delivery: number }

type Group = { name: string; waiting: Line<Held>; inFlight: number; level?: Line<Group>; place?: Place<Group> }

/** Groups that have something waiting, by how much each has in flight; at each level they take turns. */
const createLevels = () => {
  const levels = new Map<number, Line<Group>>()
  let lowest = 0
  const leave = (group: Group): void => {
    if (group.place) group.level?.leave(group.place)
    group.place = undefined
  }
  return {
    leave,
    /** To the end of its level. */
    join(group: Group): void {
      leave(group)
      const level = levels.get(group.inFlight) ?? createLine<Group>()
      levels.set(group.inFlight, level)
      group.level = level
      group.place = level.push(group)
      lowest = Math.min(lowest, group.inFlight)
    },
    first(): Group | undefined {
      for (; levels.size > 0; lowest++) {
        const level = levels.get(lowest)
        if (level && !level.isEmpty()) return level.first()
        levels.delete(lowest)
      }
      lowest = 0
      return undefined
    },
  }
}

/**
 * One queue: groups take turns, the one with the least in flight first. A body that already waits is not queued twice.
 */
export const createMemoryQueue = () => {
  const groups = new Map<string, Group>()
  const bodies = new Set<string>()
  const inFlight = new Map<number, Held>()
  const levels = createLevels()

  const groupOf = (name: string): Group => {
    const group: Group = groups.get(name) ?? { name, waiting: createLine<Held>(), inFlight: 0 }
    groups.set(name, group)
    return group
  }
  const settleIn = (group: Group): void => {
    if (!group.waiting.isEmpty()) levels.join(group)
    else {
      levels.leave(group)
      if (group.inFlight === 0) groups.delete(group.name)
    }
  }

  return {
    waiting: (): number => bodies.size,
    inFlight: (): number => inFlight.size,

    /** Answers whether it was queued: a body that already waits is not. What was handed out before goes first. */
    push(held: Held): boolean {
      if (bodies.has(held.body)) return false
      bodies.add(held.body)
      const group = groupOf(held.group)
      if (held.receives > 0) group.waiting.unshift(held)
      else group.waiting.push(held)
      if (group.place === undefined) levels.join(group)
      return true
    },

    /** Hands the next message out. */
    take(): Held | undefined {
      const group = levels.first()
      const held = group?.waiting.shift()
      if (group === undefined || held === undefined) return undefined
      bodies.delete(held.body)
      held.receives++
      held.delivery++
      inFlight.set(held.seq, held)
      group.inFlight++
      settleIn(group)
      return held
    },

    /** Ends a delivery; `undefined` when that delivery is over already. */
    settle(seq: number, delivery: number): Held | undefined {
      const held = inFlight.get(seq)
      if (held === undefined || held.delivery !== delivery) return undefined
      inFlight.delete(seq)
      const group = groupOf(held.group)
      group.inFlight--
      settleIn(group)
      return held
    },
  }
}

export type MemoryQueue = ReturnType<typeof createMemoryQueue>
