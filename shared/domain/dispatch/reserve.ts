import type { Agent } from '../agents/agent.ts'
import type { Priority, Task } from '../tasks/task.ts'

export type Slots = {
  slots: number
  /** Of these, so many are kept free for `urgent` and `high`. */
  reservedSlots?: number
}

/** An instance that has at least so many slots keeps a share of them free of `low`. */
const leastShared = 2
const shareOfLow = 0.1

const reserves: Record<Priority, (of: Slots) => number> = {
  urgent: () => 0,
  high: () => 0,
  normal: ({ slots, reservedSlots = 0 }) => Math.min(reservedSlots, slots - 1), // one slot is everybody's
  low: (of) => Math.max(reserves.normal(of), of.slots >= leastShared ? Math.ceil(of.slots * shareOfLow) : 0),
}

/** How many slots of an instance must stay free when a lane gives it a task. */
export const reserveOf = (lane: Priority, of: Slots): number => reserves[lane](of)

/** How many tasks of a lane an instance may begin that has so many slots free. */
export const laneRoom = (lane: Priority, of: Slots, free: number): number => Math.max(0, free - reserveOf(lane, of))

/** How many tasks like this one an instance of its agent may begin that runs so many. */
export const roomFor = (
  { priority }: Pick<Task, 'priority'>,
  agent: Pick<Agent, 'configuration'> | undefined,
  { slots, running }: { slots: number; running: number },
): number => laneRoom(priority, { slots, reservedSlots: agent?.configuration.reservedSlots }, slots - running)
