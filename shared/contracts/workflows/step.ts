import * as z from 'zod'
import { readPattern } from '#shared/domain/patterns/pattern.ts'
import type { Step, StepKind } from '../../domain/workflows/definition.ts'
import { jsonSchema, nameSchema, namingSchema, objectRefSchema } from '../common.ts'
import { topicSchema } from '../topics.ts'
import { catchSchemaOf, retrySchema } from './rules.ts'
import { durationSchema, errorNameSchema, expressionSchema, maxBranches, stepNameSchema } from './values.ts'
import { namesWho, whoMissing, work } from './work.ts'

const stepsSchema: z.ZodType<Step[]> = z.lazy(() => z.array(stepSchema).min(1, 'expected at least one step').max(1000))
const branchesSchema = z
  .record(stepNameSchema, stepsSchema)
  .refine((branches) => Object.keys(branches).length >= 1, 'expected at least one branch')
  .refine((branches) => Object.keys(branches).length <= maxBranches, `at most ${maxBranches} branches`)

const catchSchema = catchSchemaOf(z.lazy(() => z.array(stepSchema).max(1000)))

const common = { name: stepNameSchema, description: z.string().max(1000).optional() }
const guarded = {
  ...common,
  retry: retrySchema.optional(),
  catch: catchSchema.optional(),
  timeout: durationSchema.optional(),
  output: jsonSchema.optional(),
}
const undoable = { ...guarded, compensate: stepsSchema.optional() }

const task = z.strictObject({ kind: z.literal('task'), ...undoable, ...work }).refine(namesWho, whoMissing)

const exactlyOne =
  (...fields: string[]) =>
  (given: object): boolean =>
    fields.filter((field) => (given as Record<string, unknown>)[field] !== undefined).length === 1

const parallel = z.strictObject({ kind: z.literal('parallel'), ...guarded, branches: branchesSchema })

const map = z
  .strictObject({
    kind: z.literal('map'),
    ...guarded,
    items: jsonSchema
      .refine(
        (items) => Array.isArray(items) || expressionSchema.safeParse(items).success,
        'expected a list, or an expression for one: {% $input.repositories %}',
      )
      .optional(),
    itemsFrom: z
      .union([expressionSchema, objectRefSchema], 'expected an expression for a reference such as {$ref: obj_…}')
      .optional(),
    as: stepNameSchema.optional(),
    concurrency: z.int().min(1).max(10_000).optional(),
    steps: stepsSchema,
    distributed: z.boolean().optional(),
    toleratedFailurePercentage: z.number().min(0).max(100).optional(),
  })
  .refine(exactlyOne('items', 'itemsFrom'), {
    message: 'name one of items (a list) and itemsFrom (an object of JSON lines)',
    path: ['items'],
  })

const choice = z.strictObject({
  kind: z.literal('choice'),
  ...common,
  cases: z
    .array(z.strictObject({ when: expressionSchema, steps: stepsSchema }))
    .min(1)
    .max(100),
  otherwise: stepsSchema.optional(),
})

const wait = z
  .strictObject({
    kind: z.literal('wait'),
    ...common,
    for: durationSchema.optional(),
    until: z
      .union(
        [z.iso.datetime({ offset: true }), expressionSchema],
        'expected a time such as 2026-12-31T09:00:00Z, or an expression for one',
      )
      .optional(),
  })
  .refine((step) => (step.for === undefined) !== (step.until === undefined), {
    message: 'name one of for (a duration) and until (a time)',
    path: ['for'],
  })

const who = namingSchema(200)
const approval = z
  .strictObject({
    kind: z.literal('approval'),
    ...undoable,
    prompt: jsonSchema.refine((prompt) => prompt !== undefined, 'expected what people are asked'),
    people: z.array(who).max(50).optional(),
    groups: z.array(who).max(50).optional(),
    quorum: z.int().min(1).max(10).optional(),
    escalate: z.strictObject({ after: durationSchema, to: z.array(who).min(1).max(50) }).optional(),
    onReject: z.enum(['fail', 'continue']).optional(),
  })
  .refine(
    ({ people, groups, quorum = 1, escalate }) =>
      people === undefined || groups !== undefined || quorum <= people.length + (escalate?.to.length ?? 0),
    { message: 'more than there are people', path: ['quorum'] },
  )

const recipientText = 'expected a name, or an expression for one'
const recipientName = z.union([nameSchema, expressionSchema], recipientText).optional()
const text = z.string().min(1).max(200)
const letter = { body: jsonSchema.optional(), conversation: text.optional() }

const message = z
  .strictObject({
    kind: z.literal('message'),
    ...undoable,
    topic: topicSchema.optional(),
    to: z
      .strictObject({ agent: recipientName, capability: recipientName, queue: recipientName })
      .refine(exactlyOne('agent', 'capability', 'queue'), 'name one of agent, capability and queue')
      .optional(),
    type: text.optional(),
    ...letter,
  })
  .refine(exactlyOne('topic', 'to'), {
    message: 'name one of topic and to (an agent, a capability or a queue)',
    path: ['topic'],
  })
  .refine(({ to, type }) => to === undefined || type !== undefined, {
    message: 'what goes to somebody has a type, which its handler is known by: build.finished',
    path: ['type'],
  })

const request = z.strictObject({
  kind: z.literal('request'),
  ...undoable,
  to: z
    .strictObject({ agent: recipientName, capability: recipientName })
    .refine(exactlyOne('agent', 'capability'), 'name one of agent and capability'),
  type: text,
  ...letter,
})

/** What can be known before a step begins: expressions in a pattern have their values then. */
const patternProblems = (pattern: unknown): { pointer: string; message: string }[] => {
  if (JSON.stringify(pattern).includes('{%')) return []
  const read = readPattern(pattern)
  return 'problems' in read ? read.problems : []
}

/** An operator stands in a pattern. */
const knownSchema = z.union(
  [z.string(), z.number(), z.boolean(), z.null()],
  'expected a string, a number, true, false, null, or an expression for one; operators stand in pattern',
)

const waitForEvent = z.strictObject({
  kind: z.literal('waitForEvent'),
  ...undoable,
  topic: topicSchema,
  pattern: z
    .record(z.string(), jsonSchema, 'expected an EventBridge pattern such as {type: [build.finished]}')
    .superRefine((pattern, context) => {
      for (const { pointer, message } of patternProblems(pattern))
        context.addIssue({ code: 'custom', path: pointer.split('/').slice(1), message })
    })
    .optional(),
  correlation: z
    .record(z.string(), knownSchema, "expected fields of the message's data such as {build: '{% $input.build %}'}")
    .optional(),
})

const subWorkflow = z.strictObject({
  kind: z.literal('subWorkflow'),
  ...undoable,
  workflow: nameSchema,
  version: z.string().min(1).max(80).optional(),
  input: jsonSchema.optional(),
  wait: z.boolean().optional(),
})

const state = z.strictObject({
  kind: z.literal('state'),
  ...guarded,
  key: z.union(
    [z.string().regex(/^[A-Za-z0-9._-]{1,100}$/), expressionSchema],
    'expected a key of letters, digits, ".", "-" and "_", or an expression for one',
  ),
  value: jsonSchema.optional(),
})

const set = z.strictObject({
  kind: z.literal('set'),
  ...common,
  value: jsonSchema.refine((value) => value !== undefined, 'expected a value'),
})

const repeat = z.strictObject({
  kind: z.literal('repeat'),
  ...common,
  retry: retrySchema.optional(),
  catch: catchSchema.optional(),
  timeout: durationSchema.optional(),
  until: expressionSchema,
  atMost: z.int().min(1).max(100_000),
  steps: stepsSchema,
  onLimit: z.enum(['fail', 'continue']).optional(),
})

const race = z.strictObject({ kind: z.literal('race'), ...guarded, branches: branchesSchema })

const vote = z
  .strictObject({
    kind: z.literal('vote'),
    ...guarded,
    voters: z.array(z.strictObject(work).refine(namesWho, whoMissing)).min(1).max(maxBranches),
    ballot: expressionSchema.optional(),
    quorum: z.int().min(1).max(maxBranches),
  })
  .refine(({ voters, quorum }) => quorum <= voters.length, { message: 'more than there are voters', path: ['quorum'] })

const fail = z.strictObject({
  kind: z.literal('fail'),
  ...common,
  error: z.union([errorNameSchema, expressionSchema], 'expected a name such as NOT_CLEAN, or an expression for one'),
  cause: z.string().max(8192).optional(),
})

export const stepKinds = [
  'task',
  'parallel',
  'map',
  'choice',
  'wait',
  'approval',
  'message',
  'request',
  'waitForEvent',
  'subWorkflow',
  'state',
  'set',
  'repeat',
  'race',
  'vote',
  'fail',
] as const satisfies StepKind[]

const stepSchema: z.ZodType<Step> = z
  .discriminatedUnion('kind', [
    task,
    parallel,
    map,
    choice,
    wait,
    approval,
    message,
    request,
    waitForEvent,
    subWorkflow,
    state,
    set,
    repeat,
    race,
    vote,
    fail,
  ])
  .meta({ id: 'Step' })

export { stepsSchema }
