import type { Clock } from '../platform.ts'

type Entry = { at: number; order: number; act: () => void; index: number }
export type Cancel = () => void

const longestMs = 2_147_483_647
const isBefore = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

/** What is to be done at which time: one sleep for all of it, by the platform's clock. */
export const createAgenda = (clock: Clock) => {
  const heap: Entry[] = []
  let order = 0
  let sleeping: { until: number; controller: AbortController } | undefined

  const set = (index: number, entry: Entry): void => {
    heap[index] = entry
    entry.index = index
  }
  const swap = (a: Entry, b: Entry): void => {
    const index = a.index
    set(b.index, a)
    set(index, b)
  }
  const rise = (entry: Entry): void => {
    for (let parent = heap[(entry.index - 1) >> 1]; entry.index > 0 && parent; parent = heap[(entry.index - 1) >> 1]) {
      if (!isBefore(entry, parent)) return
      swap(entry, parent)
    }
  }
  const firstChild = ({ index }: Entry): Entry | undefined => {
    const [left, right] = [heap[2 * index + 1], heap[2 * index + 2]]
    return left && right && isBefore(right, left) ? right : left
  }
  const sink = (entry: Entry): void => {
    for (let child = firstChild(entry); child && isBefore(child, entry); child = firstChild(entry)) swap(entry, child)
  }
  const remove = (entry: Entry): void => {
    if (heap[entry.index] !== entry) return
    const moved = heap.pop()
    if (moved === undefined || moved === entry) return
    set(entry.index, moved)
    rise(moved)
    sink(moved)
  }

  /** Does what is due now. */
  const run = (): void => {
    for (let first = heap[0]; first && first.at <= clock.now(); first = heap[0]) {
      remove(first)
      first.act()
    }
    sleep()
  }
  const sleep = (): void => {
    const until = heap[0]?.at
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
    at(at: number, act: () => void): Cancel {
      const entry: Entry = { at, order: order++, act, index: heap.length }
      heap.push(entry)
      rise(entry)
      sleep()
      return () => {
        remove(entry)
      }
    },
    /** Forgets everything. */
    close(): void {
      heap.length = 0
      sleep()
    },
  }
}

export type Agenda = ReturnType<typeof createAgenda>
