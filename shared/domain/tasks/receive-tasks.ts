import type { Platform, Received, ReceiveOptions } from '../../platform/platform.ts'
import type { Agent } from '../agents/agent.ts'
import { laneQueues } from '../dispatch/lanes.ts'
import { laneRoom } from '../dispatch/reserve.ts'
import type { Instance } from '../instances/instance.ts'
import { processShared } from '../process-memory.ts'
import { countHeld } from './count-held.ts'
import { untilFreed } from './freed-slots.ts'
import { priorities } from './task.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'queues' | 'clock'>

/** `look`: how often the same call has looked before, and found its last slots reserved. */
export type Receiving = {
  instance: Instance
  agent: Agent
  max: number
  waitSeconds: number
  look?: number
  signal?: AbortSignal
}

/** What waited so long in a lower lane goes first, once in so many. */
const aging = { afterSeconds: 30, oneIn: 10 }
/** How soon an instance whose last slots are reserved is looked at again while it waits; each look may cost reads. */
export const lookAgainSeconds = 0.5
const mostSeconds = 4

/** `counted`: room was found by counting. `early`: nothing came, and the wait is not over. */
type Came = { received: Received[]; counted?: true; early?: boolean }

/**
 * Receives for an instance: from lower lanes only what leaves the slots free that are kept for higher ones. An instance
 * that asks for more than is kept has that many free for sure; of one that asks for less, what it holds is counted.
 */
export const receiveTasks = async (ports: Ports, receiving: Receiving): Promise<Came> => {
  const { max, waitSeconds } = receiving
  const sure = roomsOf(receiving, max)
  if (!sure.includes(0)) return { received: await receive(ports, receiving, { room: sure, waitSeconds }) }
  const waiting = await receive(ports, receiving, { room: sure, waitSeconds: 0 })
  if (waiting.length > 0) return { received: waiting }
  const room = roomsOf(receiving, await freeSlots(ports, receiving.instance))
  if (!room.includes(0)) return { received: await receive(ports, receiving, { room, waitSeconds }), counted: true }
  const wait = Math.min(waitSeconds, lookAgainSeconds * 2 ** (receiving.look ?? 0), mostSeconds)
  const { instance, signal: outer } = receiving
  const received = await untilFreed(ports.volatile, { instance: instance.id, outer }, (signal) =>
    receive(ports, { ...receiving, signal }, { room, waitSeconds: wait }),
  )
  return { received, counted: true, early: received.length === 0 && waitSeconds > 0 }
}

/** How many messages an instance has received in this process and not claimed yet, by its id. */
const underway = processShared<number>()

/**
 * Hands what came to `claim`. Calls of one instance side by side counted the same free slots: whoever comes later gives
 * back what would take a reserved one. `undefined`: that was everything.
 */
export const withinRoom = async <T>(
  ports: Ports,
  receiving: Receiving,
  { received, counted }: Came,
  claim: (received: Received[]) => Promise<T>,
): Promise<T | undefined> => {
  const counts = underway(ports.volatile)
  const { id } = receiving.instance
  const before = counts.get(id) ?? 0
  counts.set(id, before + received.length)
  try {
    const kept = counted ? await fitting(ports, receiving, received, before) : received
    const others = received.filter((one) => !kept.includes(one))
    if (others.length > 0) await ports.queues.release(others)
    return kept.length > 0 ? await claim(kept) : undefined
  } finally {
    const left = (counts.get(id) ?? 0) - received.length
    if (left > 0) counts.set(id, left)
    else counts.delete(id)
  }
}

const fitting = async (
  ports: Ports,
  receiving: Receiving,
  received: Received[],
  underWay: number,
): Promise<Received[]> => {
  const lanes = laneQueues(receiving.instance.tenant, receiving.instance).map(({ queue }) => queue)
  const room = roomsOf(receiving, (await freeSlots(ports, receiving.instance)) - underWay)
  const old = ports.clock.now() - aging.afterSeconds * 1000
  const kept: Received[] = []
  for (const one of received)
    if (one.sentAt <= old || kept.length < (room[lanes.indexOf(one.queue)] ?? 0)) kept.push(one)
  return kept
}

const roomsOf = ({ instance: { slots }, agent: { configuration } }: Receiving, free: number): number[] =>
  priorities.map((lane) => laneRoom(lane, { slots, reservedSlots: configuration.reservedSlots }, free))

const receive = (
  { queues }: Ports,
  { instance, max, signal }: Receiving,
  options: Pick<ReceiveOptions, 'room' | 'waitSeconds'>,
): Promise<Received[]> => {
  const lanes = laneQueues(instance.tenant, instance).map(({ queue }) => queue)
  return queues.receive({ queues: lanes, max, signal, receiver: instance.id, aging, ...options })
}

const freeSlots = async (ports: Ports, instance: Instance): Promise<number> =>
  instance.slots - (await countHeld(ports, instance))
