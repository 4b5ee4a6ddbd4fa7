import type { Message } from '@aws-sdk/client-sqs'
import type { Joined } from '#shared/contracts/worker.ts'

export type Lane = NonNullable<Joined['queue']>['lanes'][number]
export type Arrived = { lane: Lane; message: Message }

type Options = {
  /** A long poll of one lane. */
  receive: (lane: Lane, max: number, signal: AbortSignal) => Promise<Message[]>
  giveBack: (arrived: Arrived) => void
}
type Request = { lanes: Lane[]; max: number; waitSeconds: number; signal: AbortSignal }

/**
 * One long poll a lane, side by side: whoever asks gets what came first, the highest lane before the others, and the
 * polls of the other lanes go on. What comes while nobody asks, or more than was asked for, is given back at once.
 */
export const createLanePolls = ({ receive, giveBack }: Options) => {
  const polling = new Set<string>()
  let arrived: Arrived[] = []
  let failure: unknown
  let wake: (() => void) | undefined

  const poll = async (lane: Lane, max: number, signal: AbortSignal): Promise<void> => {
    polling.add(lane.address)
    try {
      const messages = (await receive(lane, max, signal)).map((message) => ({ lane, message }))
      if (wake === undefined) messages.forEach(giveBack)
      else arrived.push(...messages)
    } catch (error) {
      failure = error
    } finally {
      polling.delete(lane.address)
      wake?.()
    }
  }
  const something = (seconds: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, seconds * 1000)
      signal.addEventListener('abort', done, { once: true })
      wake = done
    })
  const takeHighest = (lanes: Lane[], max: number): Arrived[] => {
    const sorted = arrived.toSorted((a, b) => lanes.indexOf(a.lane) - lanes.indexOf(b.lane))
    arrived = []
    sorted.slice(max).forEach(giveBack)
    return sorted.slice(0, max)
  }

  return {
    /** Empty after `waitSeconds`, or when the signal aborts; the failure of a poll is this call's. */
    async next({ lanes, max, waitSeconds, signal }: Request): Promise<Arrived[]> {
      const until = Date.now() + waitSeconds * 1000
      try {
        while (!signal.aborted && Date.now() < until) {
          const waiting = something((until - Date.now()) / 1000, signal)
          for (const lane of lanes) if (!polling.has(lane.address)) void poll(lane, max, signal)
          await waiting
          if (arrived.length > 0) return takeHighest(lanes, max)
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
