/** The value below which a share of the samples lies. */
export const quantile = (samples: number[], share: number): number => {
  const sorted = samples.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

/** Runs `count` jobs with at most `width` of them at a time. */
export const inParallel = async (count: number, width: number, job: (n: number) => Promise<void>): Promise<void> => {
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < count) await job(next++)
  }
  await Promise.all(Array.from({ length: width }, lane))
}
