import * as z from 'zod'
import { failureCodeSchema } from './common.ts'

type BackOff = { initialSeconds?: number; maxSeconds?: number }
/** The first pause is no longer than the longest one, where both are given. */
export const inBackOffOrder = ({ initialSeconds, maxSeconds }: BackOff): boolean =>
  initialSeconds === undefined || maxSeconds === undefined || initialSeconds <= maxSeconds
export const backOffOrder = {
  message: 'expected at most maxSeconds, which bounds every pause',
  path: ['initialSeconds'],
}

/** Back-off before attempt n+1: random between 0 and min(maxSeconds, initialSeconds × factor^(n-1)) (full jitter). */
export const retrySchema = z
  .strictObject({
    /** Counts all attempts. @default 3 */
    attempts: z.int().min(1).max(100).optional(),
    /** @default 1 */
    initialSeconds: z.number().min(0).max(3600).optional(),
    /** @default 60, or `initialSeconds` if that is more */
    maxSeconds: z.number().min(0).max(86_400).optional(),
    /** @default 2 */
    factor: z.number().min(1).max(10).optional(),
    /** Failure codes to retry on. @default whatever the agent calls retryable */
    retryableCodes: z.array(failureCodeSchema).max(50).optional(),
  })
  .refine(inBackOffOrder, backOffOrder)
export type Retry = z.infer<typeof retrySchema>
