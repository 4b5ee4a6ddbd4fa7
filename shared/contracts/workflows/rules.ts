import * as z from 'zod'
import type { Step } from '../../domain/workflows/definition.ts'
import { backOffOrder, inBackOffOrder } from '../retry.ts'
import { errorNameSchema } from './values.ts'

const errorsSchema = z.array(errorNameSchema).min(1).max(20)

const retryRuleSchema = z
  .strictObject({
    errors: errorsSchema.optional(),
    attempts: z.int().min(1).max(100).optional(),
    initialSeconds: z.int().min(1).max(86_400).optional(),
    maxSeconds: z.int().min(1).max(31_536_000).optional(),
    factor: z.number().min(1).max(10).optional(),
  })
  .refine(inBackOffOrder, backOffOrder)
export const retrySchema = z.union(
  [retryRuleSchema, z.array(retryRuleSchema).min(1).max(10)],
  'expected a rule such as {attempts: 3, errors: [AGENT_ERROR]}, or a list of them; see its fields in the guide',
)

/** Rules that go on with steps. */
export const catchSchemaOf = (steps: z.ZodType<Step[]>) =>
  z
    .array(
      z.strictObject({ errors: errorsSchema.optional(), steps }),
      'expected a list such as [{errors: [TIMEOUT], steps: […]}]',
    )
    .min(1)
    .max(10)
