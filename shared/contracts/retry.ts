import * as z from 'zod'

/** Back-off before attempt n+1: random between 0 and min(maxSeconds, initialSeconds × factor^(n-1)) (full jitter). */
export const retrySchema = z.strictObject({
  /** Counts all attempts. @default 3 */
  attempts: z.int().min(1).max(100).optional(),
  /** @default 1 */
  initialSeconds: z.number().min(0).max(3600).optional(),
  /** @default 60 */
  maxSeconds: z.number().min(0).max(86_400).optional(),
  /** @default 2 */
  factor: z.number().min(1).max(10).optional(),
  /** Failure codes to retry on. @default whatever the agent calls retryable */
  retryableCodes: z.array(z.string().min(1).max(100)).max(50).optional(),
})
export type Retry = z.infer<typeof retrySchema>
