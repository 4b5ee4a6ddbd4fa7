import * as z from 'zod'
import type { RegisterAgent, Capability as RegisteredCapability } from '#shared/contracts/agents.ts'
import type { AgentDefinition, Schema } from '../sdk/index.ts'

/** What an agent says of itself when it registers. */
export type Manifest = {
  name: string
  type: string
  description?: string
  /** The name of its class of resources, where it has one. */
  resourceClass?: string
  labels: Record<string, string>
  capabilities: RegisteredCapability[]
  /** Types of messages that it has handlers for. */
  messages: NonNullable<RegisterAgent['messages']>
}

/** JSON Schema of a zod schema; of other vendors' schemas there is none to be had. */
const toJsonSchema = (schema: Schema | undefined, io: 'input' | 'output'): Record<string, unknown> | undefined => {
  if (schema?.['~standard'].vendor !== 'zod') return undefined
  const { $schema: _, ...document } = z.toJSONSchema(schema as unknown as z.ZodType, { io, unrepresentable: 'any' })
  return document
}

export const manifestOf = (definition: AgentDefinition): Manifest => ({
  name: definition.name,
  type: definition.type ?? 'custom',
  ...(definition.description && { description: definition.description }),
  ...(typeof definition.resources === 'string' && { resourceClass: definition.resources }),
  labels: definition.labels ?? {},
  messages: Object.entries(definition.messages ?? {}).map(([type, { data }]) => {
    const dataSchema = toJsonSchema(data, 'input')
    return { type, ...(dataSchema && { dataSchema }) }
  }),
  capabilities: Object.entries(definition.capabilities).map(([name, { description, input, output }]) => {
    const [inputSchema, outputSchema] = [toJsonSchema(input, 'input'), toJsonSchema(output, 'output')]
    return {
      name,
      ...(description && { description }),
      ...(inputSchema && { inputSchema }),
      ...(outputSchema && { outputSchema }),
    }
  }),
})
