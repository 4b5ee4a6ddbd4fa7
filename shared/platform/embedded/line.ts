export type Place<T> = { value: T; previous?: Place<T>; next?: Place<T> }

/** A line in which anyone may leave from the middle; every step takes the same time, however long it is. */
export const createLine = <T>() => {
  let first: Place<T> | undefined
  let last: Place<T> | undefined
  const leave = ({ previous, next }: Place<T>): void => {
    if (previous) previous.next = next
    else first = next
    if (next) next.previous = previous
    else last = previous
  }
  return {
    first: (): T | undefined => first?.value,
    isEmpty: (): boolean => first === undefined,
    push(value: T): Place<T> {
      const place: Place<T> = { value, previous: last }
      if (last) last.next = place
      else first = place
      last = place
      return place
    },
    leave,
  }
}

export type Line<T> = ReturnType<typeof createLine<T>>
