import * as z from 'zod'
import {
  boundedJson,
  idSchema,
  jsonSchema,
  nameSchema,
  objectRefSchema,
  pageQuery,
  pageSchema,
  timeSchema,
} from './common.ts'

const definitionBody = {
  /** YAML or JSON as text, whose lines problems name; or the definition itself. See docs/workflow.schema.json. */
  definition: z.union(
    [z.string().min(1), z.record(z.string(), jsonSchema)],
    'expected a definition: YAML or JSON as text, or an object',
  ),
}

/** Unlike that of an agent, a version is a number that grows by one. */
const versionSchema = z.int().min(1)
export const saveWorkflowSchema = z.strictObject({
  ...definitionBody,
  /** Warnings are errors too. @default false */
  strict: z.boolean().optional(),
})

export const problemSchema = z.object({
  severity: z.enum(['error', 'warning']),
  code: z.string(),
  message: z.string(),
  pointer: z.string(),
  line: z.int().optional(),
  column: z.int().optional(),
})
export const validationSchema = z
  .object({ valid: z.boolean(), problems: z.array(problemSchema) })
  .meta({ id: 'WorkflowValidation' })

const weightsSchema = z
  .record(z.string().regex(/^[1-9]\d{0,7}$/, 'expected the number of a version'), z.number().min(0).max(1000))
  .refine((weights) => Object.values(weights).some((weight) => weight > 0), 'expected a weight above 0')
const aliasNameSchema = nameSchema.regex(/[^\d]/, 'an alias is no number')

export const patchWorkflowSchema = z.strictObject({
  /** Alias → version → weight; `null` removes an alias. Runs that name no version take `live`, else the latest. */
  aliases: z.record(aliasNameSchema, weightsSchema.nullable()),
})

export const workflowSchema = z
  .object({
    name: nameSchema,
    description: z.string().optional(),
    latest: versionSchema,
    aliases: z.record(z.string(), z.record(z.string(), z.number())),
    createdAt: timeSchema,
    updatedAt: timeSchema,
    /** Of the version that was just stored. */
    problems: z.array(problemSchema).optional(),
  })
  .meta({ id: 'Workflow' })
export type WorkflowResponse = z.infer<typeof workflowSchema>
export const workflowPageSchema = pageSchema(workflowSchema).meta({ id: 'WorkflowPage' })

export const workflowVersionSchema = z
  .object({
    workflow: nameSchema,
    version: versionSchema,
    createdAt: timeSchema,
    /** As it was given; a list leaves it out. */
    definition: jsonSchema.optional(),
  })
  .meta({ id: 'WorkflowVersion' })
export const workflowVersionPageSchema = pageSchema(workflowVersionSchema).meta({ id: 'WorkflowVersionPage' })
export const listWorkflowsQuery = z.strictObject(pageQuery)

export const startRunSchema = z.strictObject({
  input: jsonSchema.optional(),
  /** The number of a version, or an alias. @default the alias `live`, else the latest version */
  version: z
    .union([z.int().min(1), z.string().min(1).max(100)], 'expected the number of a version, or an alias')
    .optional(),
})

export const runStateSchema = z.enum(['RUNNING', 'COMPENSATING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'STOPPED'])
const stepSchema = z.object({
  name: z.string(),
  kind: z.string(),
  /** The step that it is a part of. */
  in: z.string().optional(),
  /** Of the item, in a map. */
  index: z.int().optional(),
  /** `PENDING`: it may come, also once more after it failed. `SKIPPED`: the run ended without it. `ABANDONED`: begun, and nothing waited for it any more. */
  state: z.enum(['PENDING', 'RUNNING', 'SUCCEEDED', 'FAILED', 'ABANDONED', 'SKIPPED']),
  task: idSchema('tsk').optional(),
  approval: idSchema('apr').optional(),
  child: idSchema('run').optional(),
  batch: idSchema('bat').optional(),
  /** Of a request: what it waits for the response to. */
  message: idSchema('msg').optional(),
  error: z.string().optional(),
  cause: z.string().optional(),
  startedAt: timeSchema.optional(),
  /** When its time is over; of one that is tried again, when that has begun at the latest. */
  until: timeSchema.optional(),
  finishedAt: timeSchema.optional(),
  /** The try that comes next, and how many there may be. */
  attempt: z.int().optional(),
  attempts: z.int().optional(),
  /** It undoes another one. */
  undoes: z.literal(true).optional(),
})

export const runSchema = z
  .object({
    id: idSchema('run'),
    workflow: z.string(),
    version: versionSchema,
    /** `COMPENSATING`: it did not succeed, and what it had completed is being undone. */
    state: runStateSchema,
    input: jsonSchema.optional(),
    inputRef: objectRefSchema.optional(),
    output: jsonSchema.optional(),
    outputRef: objectRefSchema.optional(),
    error: z.string().optional(),
    cause: z.string().optional(),
    stop: z.object({ by: z.string(), reason: z.string().optional() }).optional(),
    /** What was undone, and what stays because undoing it failed. */
    undone: z
      .array(
        z.object({ step: z.string(), undone: z.boolean(), error: z.string().optional(), cause: z.string().optional() }),
      )
      .optional(),
    /** The run whose step this one is. */
    parent: idSchema('run').optional(),
    rerunOf: idSchema('run').optional(),
    redrives: z.int(),
    startedAt: timeSchema,
    finishedAt: timeSchema.optional(),
    /** Those that the product does each time, others as of the last time; a list of runs leaves it out, and a change the others. */
    steps: z.array(stepSchema).optional(),
    /** So many that came before them have no room in the answer. */
    earlierSteps: z.int().optional(),
  })
  .meta({ id: 'Run' })
export type RunResponse = z.infer<typeof runSchema>
export const runPageSchema = pageSchema(runSchema).meta({ id: 'RunPage' })
export const listRunsQuery = z.strictObject({
  ...pageQuery,
  workflow: nameSchema.optional(),
  state: runStateSchema.optional(),
})

export const runEventSchema = z.object({
  id: z.int(),
  previous: z.int(),
  time: timeSchema,
  /** In the words of Step Functions: `TaskStateEntered`, `MapIterationStarted`, `ExecutionSucceeded` … */
  type: z.string(),
  /** Of the state. */
  name: z.string().optional(),
  index: z.int().optional(),
  input: jsonSchema.optional(),
  output: jsonSchema.optional(),
  error: z.string().optional(),
  cause: z.string().optional(),
})
export const runHistorySchema = pageSchema(runEventSchema).meta({ id: 'RunHistory' })
export const runHistoryQuery = z.strictObject(pageQuery)

/** `run.state`: where the run is now. `run.history`: a transition of its machine, or of the one that undoes. */
export const runStreamEventSchema = z
  .object({
    /** Where to go on: the last transition of its machine, and after a dot of the one that undoes. */
    id: z.string(),
    type: z.enum(['run.state', 'run.history']),
    time: timeSchema,
    data: z.record(z.string(), jsonSchema),
  })
  .meta({ id: 'RunStreamEvent' })
export type RunStreamEvent = z.infer<typeof runStreamEventSchema>
export const runStreamPageSchema = pageSchema(runStreamEventSchema).meta({ id: 'RunStreamPage' })
export const runStreamQuery = z.strictObject({
  /** The `id` of the event to go on behind. @default the beginning */
  after: z
    .string()
    .regex(/^\d{1,12}(\.\d{1,9})?$/, 'expected the id of an event, such as 12 or 12.3')
    .optional(),
})

export const stopRunSchema = z.strictObject({ reason: z.string().max(1000).optional() })
export const rerunSchema = z.strictObject({
  /** @default the input of the run */
  input: jsonSchema.optional(),
  /** @default the version of the run */
  version: startRunSchema.shape.version,
})

/** Why a run has not ended, or how it did. */
export const runWhySchema = z
  .object({
    code: z.string(),
    message: z.string(),
    /** Of each step that runs. */
    steps: z.array(
      z.object({
        name: z.string(),
        index: z.int().optional(),
        code: z.string(),
        message: z.string(),
        wouldChange: z.string().optional(),
      }),
    ),
  })
  .meta({ id: 'RunWhy' })
export type RunWhy = z.infer<typeof runWhySchema>

export const runValueSchema = z
  .object({
    key: z.string(),
    value: jsonSchema,
    /** Its state, as in `ETag`. */
    rev: z.string(),
  })
  .meta({ id: 'RunValue' })
export const runValuePageSchema = pageSchema(runValueSchema).meta({ id: 'RunValuePage' })
/** An instance names the task that it does for the run. */
const holding = { task: idSchema('tsk').optional(), fence: z.string().min(1).max(100).optional() }
export const listRunValuesQuery = z.strictObject({ ...pageQuery, ...holding })
export const getRunValueQuery = z.strictObject(holding)
export const putRunValueSchema = z.strictObject({
  value: boundedJson(32),
  ...holding,
})
