/** What stands in a heap knows where, so that it can leave from the middle. */
export type Standing = { at?: number }

/** The first by `before` in front; joining and leaving take logarithmic time. */
export const createHeap = <T extends Standing>(before: (a: T, b: T) => boolean) => {
  const all: T[] = []
  const put = (one: T, at: number): void => {
    all[at] = one
    one.at = at
  }
  const rise = (one: T, from: number): void => {
    let at = from
    for (let up = (at - 1) >> 1; at > 0 && before(one, all[up] as T); up = (at - 1) >> 1) {
      put(all[up] as T, at)
      at = up
    }
    put(one, at)
  }
  const lesserChild = (at: number): number => {
    const left = 2 * at + 1
    return left + 1 < all.length && before(all[left + 1] as T, all[left] as T) ? left + 1 : left
  }
  const sink = (one: T, from: number): void => {
    let at = from
    for (let down = lesserChild(at); down < all.length && before(all[down] as T, one); down = lesserChild(at)) {
      put(all[down] as T, at)
      at = down
    }
    rise(one, at)
  }
  return {
    first: (): T | undefined => all[0],
    isEmpty: (): boolean => all.length === 0,
    size: (): number => all.length,
    /** How many come before one; looks at all of them. */
    countBefore: (one: T): number => all.filter((other) => before(other, one)).length,
    push: (one: T): void => rise(one, all.length),
    /** Only what stands in it may leave. */
    leave(one: T): void {
      const at = one.at ?? 0
      const last = all.pop()
      if (last !== undefined && last !== one) sink(last, at)
      one.at = undefined
    },
  }
}

export type Heap<T extends Standing> = ReturnType<typeof createHeap<T>>
