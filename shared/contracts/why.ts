import * as z from 'zod'
import { jsonSchema } from './common.ts'

export const whySchema = z
  .object({
    /** The one cause, such as `ALL_SLOTS_BUSY`, `LIMIT`, `START_TIME`, `WAITING_FOR_APPROVAL`, or the failure's code. */
    code: z.string(),
    /** The cause as a sentence. */
    message: z.string(),
    /** What was looked at: positions, limits, holders, times (ISO 8601). */
    evidence: z.record(z.string(), jsonSchema),
    /** What would have to happen for it to run, or to end otherwise. */
    wouldChange: z.string(),
  })
  .meta({ id: 'Why' })
export type WhyResponse = z.infer<typeof whySchema>
