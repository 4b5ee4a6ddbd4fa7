/** An act that answers `false` did nothing: what waits for it need not be given its turn. */
type Act = () => unknown
type Event = { at: number; order: number; act: Act }

/** Virtual time: events in the order of their times, and of their making where these are equal. */
export type Timeline = {
  readonly start: number
  /** How many events were made so far. */
  count(): number
  now(): number
  at(ms: number, act: Act): void
  sleep(ms: number): Promise<void>
  /** Does event after event, each with everything that follows from it at once, until `isOver` or nothing is left. */
  run(isOver: () => boolean): Promise<void>
}

const isBefore = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

const rise = (heap: Event[], event: Event): void => {
  let at = heap.length
  heap.push(event)
  while (at > 0) {
    const up = (at - 1) >> 1
    const parent = heap[up] as Event
    if (!isBefore(event, parent)) break
    heap[at] = parent
    at = up
  }
  heap[at] = event
}

const takeFirst = (heap: Event[]): Event | undefined => {
  const first = heap[0]
  const last = heap.pop()
  if (first === undefined || last === undefined || first === last) return first
  let at = 0
  for (let child = 1; child < heap.length; child = 2 * at + 1) {
    const [left, right] = [heap[child] as Event, heap[child + 1]]
    const [down, smaller] = right && isBefore(right, left) ? [child + 1, right] : [child, left]
    if (!isBefore(smaller, last)) break
    heap[at] = smaller
    at = down
  }
  heap[at] = last
  return first
}

const settled = Promise.resolve()

export const createTimeline = (start: number): Timeline => {
  const heap: Event[] = []
  let now = start
  let order = 0
  const at = (ms: number, act: Act): void => rise(heap, { at: Math.max(Math.round(ms), now), order: order++, act })
  return {
    start,
    count: () => order,
    now: () => now,
    at,
    sleep: (ms) => new Promise((resolve) => at(now + ms, resolve)),
    run: (isOver) =>
      new Promise((resolve, reject) => {
        // Node runs a tick only when no promise has anything left to do, so an event sees the end of the one before.
        const soon = (): void => process.nextTick(step)
        const step = (): void => {
          try {
            for (let isIdle = true; isIdle; ) {
              const next = isOver() ? undefined : takeFirst(heap)
              if (next === undefined) {
                resolve()
                return
              }
              now = next.at
              isIdle = next.act() === false
            }
            void settled.then(soon)
          } catch (error) {
            reject(error)
          }
        }
        void settled.then(soon)
      }),
  }
}
