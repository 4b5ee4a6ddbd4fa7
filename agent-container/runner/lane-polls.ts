import type { Message } from '@aws-sdk/client-sqs'
import type { Joined } from '#shared/contracts/worker.ts'

export type Lane = NonNullable<Joined['queue']>['lanes'][number]
export type Arrived = { lane: Lane; message: Message }

type Options = {
  /** A long poll of one lane. */
  receive: (lane: Lane, max: number, signal: AbortSignal) => Promise<Message[]>
  giveBack: (arrived: Arrived) => void
}
/** `free` tells how many slots are free now: they may be more than `max`, and grow while it waits. */
type Request = { lanes: Lane[]; max: number; free: () => number; waitSeconds: number; signal: AbortSignal }

/** What waited so long in a lower lane goes first, once in so many. */
const aging = { afterMs: 30_000, oneIn: 10 }
/** How soon lanes that must leave the last free slots are looked at again. */
const lookAgainMs = 500

const sentAt = ({ message }: Arrived): number => Number(message.Attributes?.SentTimestamp ?? Date.now())

/**
 * One long poll a lane, side by side: whoever asks gets what came first, the highest lane before the others, and the
 * polls of the other lanes go on. What comes while nobody asks, more than was asked for, or what would take a slot that
 * is kept for higher lanes, is given back at once.
 */
export const createLanePolls = ({ receive, giveBack }: Options) => {
  const polling = new Set<string>()
  let arrived: Arrived[] = []
  let failure: unknown
  let wake: (() => void) | undefined
  let sinceOverdue = 0

  /** While nobody asks, one that is overdue is kept for whoever asks next. */
  const keep = (one: Arrived, lanes: Lane[]): void => {
    if (wake !== undefined || (arrived.length === 0 && isOverdue(one, lanes))) arrived.push(one)
    else giveBack(one)
  }
  const poll = async (lane: Lane, { lanes, max, signal }: Request): Promise<void> => {
    polling.add(lane.address)
    try {
      for (const message of await receive(lane, max, signal)) keep({ lane, message }, lanes)
    } catch (error) {
      failure = error
    } finally {
      polling.delete(lane.address)
      wake?.()
    }
  }
  const something = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal.addEventListener('abort', done, { once: true })
      wake = done
    })
  const isDue = (): boolean => sinceOverdue >= aging.oneIn - 1
  /** It goes before all others, once in so many: it has waited too long in a lane that is not the highest. */
  const isOverdue = (one: Arrived, [highest]: Lane[]): boolean =>
    isDue() && one.lane.address !== highest?.address && sentAt(one) <= Date.now() - aging.afterMs
  const takeHighest = ({ lanes, max, free }: Request): Arrived[] => {
    const slots = Math.max(max, free())
    const overdue = arrived.filter((one) => isOverdue(one, lanes)).toSorted((a, b) => sentAt(a) - sentAt(b))[0]
    const others = arrived.filter((one) => one !== overdue)
    const rank = ({ lane }: Arrived): number => lanes.findIndex(({ address }) => address === lane.address)
    const sorted = others.toSorted((a, b) => rank(a) - rank(b))
    const taken = overdue === undefined ? [] : [overdue]
    const left: Arrived[] = []
    for (const one of sorted) (taken.length < max && slots - taken.length > one.lane.keepFree ? taken : left).push(one)
    left.forEach(giveBack)
    arrived = []
    const looked = overdue !== undefined || left.some(({ lane }) => slots <= lane.keepFree)
    sinceOverdue = looked ? 0 : sinceOverdue + taken.length
    return taken
  }

  return {
    /** Empty after `waitSeconds`, or when the signal aborts; the failure of a poll is this call's. */
    async next(request: Request): Promise<Arrived[]> {
      const { lanes, max, free, waitSeconds, signal } = request
      const until = Date.now() + waitSeconds * 1000
      try {
        while (!signal.aborted && Date.now() < until) {
          const slots = Math.max(max, free())
          const open = lanes.filter(({ keepFree }) => slots > keepFree || isDue())
          const left = until - Date.now()
          const waiting = something(open.length < lanes.length ? Math.min(left, lookAgainMs) : left, signal)
          for (const lane of open) if (!polling.has(lane.address)) void poll(lane, request)
          if (arrived.length > 0) wake?.()
          await waiting
          const taken = arrived.length > 0 ? takeHighest(request) : []
          if (taken.length > 0) return taken
          if (failure !== undefined) throw failure
        }
        return []
      } finally {
        wake = undefined
        failure = undefined
      }
    },
  }
}
