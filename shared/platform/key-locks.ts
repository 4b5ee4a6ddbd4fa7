/** Runs work on the same key one after the other, and on different keys at once. */
export const createKeyLocks = () => {
  const last = new Map<string, Promise<unknown>>()
  return {
    async run<T>(key: string, work: () => Promise<T>): Promise<T> {
      const before = last.get(key) ?? Promise.resolve()
      const running = before.then(work)
      const ended = running.catch(() => undefined)
      last.set(key, ended)
      try {
        return await running
      } finally {
        if (last.get(key) === ended) last.delete(key)
      }
    },
  }
}
