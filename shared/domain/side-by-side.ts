/** Does the work for each, at most `width` at a time. The first failure is thrown when what is under way has ended. */
export const sideBySide = async <T>(
  all: readonly T[],
  width: number,
  work: (one: T) => Promise<void>,
): Promise<void> => {
  let next = 0
  const failures: unknown[] = []
  const worker = async (): Promise<void> => {
    while (next < all.length && failures.length === 0) {
      const one = all[next++] as T
      await work(one).catch((error: unknown) => failures.push(error))
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, all.length) }, worker))
  if (failures.length > 0) throw failures[0]
}
