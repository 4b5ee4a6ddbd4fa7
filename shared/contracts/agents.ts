import * as z from 'zod'
import { idPattern } from '#shared/domain/ids.ts'
import {
  idSchema,
  labelQuery,
  labelsSchema,
  nameSchema,
  pageQuery,
  pageSchema,
  prioritySchema,
  timeSchema,
  versionSchema,
} from './common.ts'
import { retrySchema } from './retry.ts'

const jsonSchemaDocument = z.record(z.string(), z.unknown())

export const capabilitySchema = z.strictObject({
  name: nameSchema,
  description: z.string().max(2000).optional(),
  /** JSON Schema 2020-12 of the input: a submit that does not fit is refused. */
  inputSchema: jsonSchemaDocument.optional(),
  /** What to expect of a result: workflows are checked against it, completions are not. */
  outputSchema: jsonSchemaDocument.optional(),
})
export type Capability = z.infer<typeof capabilitySchema>

export const agentConfigurationSchema = z.strictObject({
  /** Tasks of this agent that may run at once, over all instances. @default unlimited */
  maxConcurrentTasks: z.int().min(1).max(100_000).optional(),
  timeoutSeconds: z.int().min(1).max(604_800).optional(),
  retry: retrySchema.optional(),
  priority: prioritySchema.optional(),
  /** Slots of each instance that only `urgent` and `high` tasks take. @default 0 */
  reservedSlots: z.int().min(0).max(10_000).optional(),
  /** Fairness inside a lane is between the values of this label of the tasks. @default their submitters */
  fairnessLabel: z.string().min(1).max(63).optional(),
  /** The agent's own settings: handed to its instances, never read by the platform. */
  settings: z.record(z.string(), z.unknown()).optional(),
})

const capabilitiesSchema = z
  .array(capabilitySchema)
  .max(100)
  .refine((list) => new Set(list.map((one) => one.name)).size === list.length, 'capability names must differ')

const messagesSchema = z
  .array(
    z.strictObject({
      /** As messages have it: `build.finished`. */
      type: z.string().min(1).max(200),
      /** JSON Schema 2020-12 of the data. */
      dataSchema: jsonSchemaDocument.optional(),
    }),
  )
  .max(100)
  .refine((list) => new Set(list.map((one) => one.type)).size === list.length, 'types of messages must differ')

/** What would be taken for somebody else's id is no name. */
const agentNameSchema = nameSchema.refine(
  (name) => !idPattern('agt').test(name),
  'a name does not look like the id of an agent',
)

export const registerAgentSchema = z.strictObject({
  name: agentNameSchema,
  type: z.string().min(1).max(100).default('custom'),
  version: versionSchema.default('1.0.0'),
  description: z.string().max(2000).optional(),
  /** The class of resources that its instances have: tasks may require it. */
  resourceClass: nameSchema.optional(),
  capabilities: capabilitiesSchema.default([]),
  /** Messages of these types become tasks of the agent, instead of waiting to be received. */
  messages: messagesSchema.optional(),
  configuration: agentConfigurationSchema.default({}),
  labels: labelsSchema.default({}),
})
export type RegisterAgent = z.infer<typeof registerAgentSchema>

export const patchAgentSchema = z
  .strictObject({
    type: z.string().min(1).max(100).optional(),
    description: z.string().max(2000).nullable().optional(),
    resourceClass: nameSchema.optional(),
    capabilities: capabilitiesSchema.optional(),
    messages: messagesSchema.optional(),
    configuration: agentConfigurationSchema.optional(),
    labels: labelsSchema.optional(),
  })
  .refine((patch) => Object.keys(patch).length > 0, 'name at least one field to change')
export type PatchAgent = z.infer<typeof patchAgentSchema>

export const agentStateSchema = z.enum([
  'REGISTERED',
  'DEPLOYING',
  'ONLINE',
  'BUSY',
  'IDLE',
  'OFFLINE',
  'ERROR',
  'MAINTENANCE',
])

export const agentSchema = z
  .object({
    id: idSchema('agt'),
    name: z.string(),
    type: z.string(),
    description: z.string().optional(),
    version: z.string(),
    resourceClass: z.string().optional(),
    state: agentStateSchema,
    detail: z.string(),
    capabilities: z.array(capabilitySchema),
    messages: messagesSchema.optional(),
    configuration: agentConfigurationSchema,
    labels: labelsSchema,
    /** Live copies, their slots, and the tasks that they ran by their last heartbeats. */
    instances: z.object({
      live: z.int(),
      slots: z.int(),
      running: z.int(),
      /** How many there should be, where a person has said so. */
      wanted: z.int().optional(),
    }),
    createdAt: timeSchema,
    updatedAt: timeSchema,
  })
  .meta({ id: 'Agent' })
export type AgentResponse = z.infer<typeof agentSchema>

export const listAgentsQuery = z.strictObject({
  ...pageQuery,
  capability: nameSchema.optional(),
  type: z.string().max(100).optional(),
  state: agentStateSchema.optional(),
  label: labelQuery,
  q: z.string().max(200).optional(),
})
export type ListAgents = z.infer<typeof listAgentsQuery>

export const agentPageSchema = pageSchema(agentSchema).meta({ id: 'AgentPage' })
