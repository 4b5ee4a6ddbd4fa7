import type { QueueMessage } from '../platform.ts'

/** One message; `delivery` grows with each time it is handed out, so that an old receipt means nothing. */
export type Held = { seq: number; body: string; group: string; sentAt: number; receives: number; delivery: number }

/**
 * One queue: groups take turns, the one with the least in flight first. A body that already waits is not queued twice.
 */
export const createMemoryQueue = () => {
  const groups = new Map<string, Held[]>()
  const bodies = new Set<string>()
  const inFlight = new Map<number, Held>()
  const busy = new Map<string, number>()
  let turn = 0
  const lastTurn = new Map<string, number>()

  const count = (group: string, by: number): void => {
    const sum = (busy.get(group) ?? 0) + by
    if (sum > 0) busy.set(group, sum)
    else busy.delete(group)
  }

  /** The waiting group with the least in flight; among equals the one whose last turn is longest ago. */
  const nextGroup = (): string | undefined => {
    let best: string | undefined
    for (const group of groups.keys()) if (best === undefined || before(group, best)) best = group
    return best
  }
  const before = (a: string, b: string): boolean => {
    const difference = (busy.get(a) ?? 0) - (busy.get(b) ?? 0)
    return difference < 0 || (difference === 0 && (lastTurn.get(a) ?? 0) < (lastTurn.get(b) ?? 0))
  }

  const takeFrom = (group: string): Held | undefined => {
    const line = groups.get(group)
    const held = line?.shift()
    if (line?.length === 0) groups.delete(group)
    return held
  }

  return {
    waiting: (): number => bodies.size,
    inFlight: (): number => inFlight.size,

    /** Answers whether it was queued: a body that already waits is not. */
    push(message: QueueMessage, seq: number, now: number, receives = 0): boolean {
      if (bodies.has(message.body)) return false
      bodies.add(message.body)
      const group = message.group ?? `alone-${seq}`
      const line = groups.get(group)
      const held = { seq, body: message.body, group, sentAt: now, receives, delivery: 0 }
      if (line) line.push(held)
      else groups.set(group, [held])
      return true
    },

    /** Hands the next message out. */
    take(): Held | undefined {
      const group = nextGroup()
      const held = group === undefined ? undefined : takeFrom(group)
      if (held === undefined || group === undefined) return undefined
      bodies.delete(held.body)
      lastTurn.set(group, ++turn)
      if (lastTurn.size > 10_000) lastTurn.clear()
      held.receives++
      held.delivery++
      inFlight.set(held.seq, held)
      count(group, 1)
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
