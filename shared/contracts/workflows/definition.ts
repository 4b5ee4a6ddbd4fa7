import * as z from 'zod'
import type { Definition } from '../../domain/workflows/definition.ts'
import { isUndoName } from '../../domain/workflows/workflow.ts'
import { jsonSchema, nameSchema } from '../common.ts'
import { stepsSchema } from './step.ts'
import { durationSchema } from './values.ts'

export type {
  AgentRecipient,
  ApprovalStep,
  CatchRule,
  ChoiceStep,
  Definition,
  Duration,
  FailStep,
  MapStep,
  MessageStep,
  ParallelStep,
  RaceStep,
  RepeatStep,
  RequestStep,
  RetryRule,
  SetStep,
  StateStep,
  Step,
  StepKind,
  SubWorkflowStep,
  TaskStep,
  VoteStep,
  WaitForEventStep,
  WaitStep,
  Work,
} from '../../domain/workflows/definition.ts'

export { ownKinds } from '../../domain/workflows/definition.ts'

export const definitionSchema = z.strictObject({
  workflow: nameSchema.refine((name) => !isUndoName(name), 'names that end in .undo are those of machines that undo'),
  description: z.string().max(2000).optional(),
  input: z.record(z.string(), jsonSchema, 'expected a JSON Schema').optional(),
  timeout: durationSchema.optional(),
  steps: stepsSchema,
  output: jsonSchema.optional(),
}) satisfies z.ZodType<Definition>
