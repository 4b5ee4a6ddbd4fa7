import * as z from 'zod'
import { jsonSchema, keySchema, labelsSchema, nameSchema, prioritySchema, wantedVersionSchema } from '../common.ts'
import { budgetSchema } from '../limits.ts'
import { requirementsSchema } from '../tasks.ts'

/** What a task is asked for. */
export const work = {
  capability: nameSchema.optional(),
  /** Name or id. */
  agent: z.string().min(1).max(100).optional(),
  version: wantedVersionSchema.optional(),
  input: jsonSchema.optional(),
  priority: prioritySchema.optional(),
  labels: labelsSchema.optional(),
  requirements: requirementsSchema.optional(),
  affinityKey: keySchema.optional(),
  budget: budgetSchema.optional(),
}
export const namesWho = ({ capability, agent }: { capability?: string; agent?: string }): boolean =>
  capability !== undefined || agent !== undefined
export const whoMissing = { message: 'name a capability or an agent', path: ['capability'] }
