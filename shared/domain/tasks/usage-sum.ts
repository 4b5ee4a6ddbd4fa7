import type { Measured, Usage } from './task.ts'

/** What adds up over reports and attempts; of `peakMemoryMb` the most counts. */
const sums = ['seconds', 'tokens', 'cost', 'cpuSeconds', 'bytesWritten'] as const

/** The sum of two usages. */
export const addUsage = (before: Usage | undefined, more: Usage | undefined): Usage | undefined => {
  if (more === undefined) return before
  const sum = { ...before }
  for (const key of sums) if (more[key] !== undefined) sum[key] = (sum[key] ?? 0) + more[key]
  if (more.peakMemoryMb !== undefined) sum.peakMemoryMb = Math.max(sum.peakMemoryMb ?? 0, more.peakMemoryMb)
  return sum
}

/** What of a usage came after another; of the memory nobody knows. */
export const subtractUsage = (usage: Usage, before: Usage | undefined): Usage => {
  const rest = { ...usage }
  for (const key of sums) {
    const more = (usage[key] ?? 0) - (before?.[key] ?? 0)
    if (more > 0) rest[key] = Math.round(more * 1e9) / 1e9
    else delete rest[key]
  }
  return rest
}

/** A usage with what was measured of all of it: no sum is less than it was, the memory is what was measured last. */
export const withMeasured = (usage: Usage, measured: Measured): Usage => {
  const whole = { ...usage, ...measured }
  for (const key of ['cpuSeconds', 'bytesWritten'] as const)
    if (measured[key] !== undefined) whole[key] = Math.max(usage[key] ?? 0, measured[key])
  return whole
}
