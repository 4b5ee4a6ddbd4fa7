import type { Clock } from '../platform.ts'
import { createHeap, type Standing } from './heap.ts'

type Entry = Standing & { time: number; order: number; act: () => void }
export type Cancel = () => void

const longestMs = 2_147_483_647
const isBefore = (a: Entry, b: Entry): boolean => a.time < b.time || (a.time === b.time && a.order < b.order)

/** What is to be done at which time: one sleep for all of it, by the platform's clock. */
export const createAgenda = (clock: Clock) => {
  const heap = createHeap(isBefore)
  let order = 0
  let sleeping: { until: number; controller: AbortController } | undefined

  /** Whether it has left before or not. */
  const remove = (entry: Entry): void => {
    if (entry.at !== undefined) heap.leave(entry)
  }

  /** Does what is due now. */
  const run = (): void => {
    for (let first = heap.first(); first && first.time <= clock.now(); first = heap.first()) {
      remove(first)
      first.act()
    }
    sleep()
  }
  const sleep = (): void => {
    const until = heap.first()?.time
    if (until === sleeping?.until) return
    sleeping?.controller.abort()
    sleeping = undefined
    if (until === undefined) return
    const controller = new AbortController()
    sleeping = { until, controller }
    clock.sleep(Math.max(1, Math.min(until - clock.now(), longestMs)), controller.signal).then(
      () => {
        sleeping = undefined
        run()
      },
      () => undefined, // something earlier came, or nothing is left
    )
  }

  return {
    run,
    at(time: number, act: () => void): Cancel {
      const entry: Entry = { time, order: order++, act }
      heap.push(entry)
      sleep()
      return () => {
        remove(entry)
      }
    },
    /** Forgets everything. */
    close(): void {
      for (let first = heap.first(); first; first = heap.first()) remove(first)
      sleep()
    },
  }
}

export type Agenda = ReturnType<typeof createAgenda>
