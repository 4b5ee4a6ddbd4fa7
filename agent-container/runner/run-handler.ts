import type { Capability } from '../sdk/define-agent.ts'
import { type AgentDefinition, AgentError, type Handler, type ReceivedMessage, type Schema } from '../sdk/index.ts'
import type { HandledMessage } from '../sdk/messages.ts'
import type { SlotContext } from './slot-context.ts'
import type { FromSlot, SlotTask } from './slot-messages.ts'

type Outcome = Extract<FromSlot, { type: 'done' | 'failed' }>

/** Checks a value with a Standard Schema; what does not fit is the agent's final failure. */
const check = async (schema: Schema | undefined, value: unknown, what: string): Promise<unknown> => {
  if (schema === undefined) return value
  const checked = await schema['~standard'].validate(value)
  if (checked.issues === undefined) return checked.value
  const issues = checked.issues.map(({ path, message }) => `${(path ?? []).map(segment).join('/') || what}: ${message}`)
  throw new AgentError(`the ${what} does not fit its schema: ${issues.join('; ')}`, { retryable: false })
}

const segment = (part: unknown): string =>
  String(part !== null && typeof part === 'object' && 'key' in part ? part.key : part)

const isGenerator = (value: unknown): value is AsyncGenerator<unknown, unknown> =>
  value !== null && typeof value === 'object' && Symbol.asyncIterator in value

const messagePrefix = 'message:'

/** The handler of a message as a capability: its input is the message, and its data is checked. */
const messageCapability = (agent: AgentDefinition, name: string | null): Capability | undefined => {
  const handled = name?.startsWith(messagePrefix) ? agent.messages?.[name.slice(messagePrefix.length)] : undefined
  if (handled === undefined) return undefined
  const { data: schema, handler } = handled as unknown as HandledMessage
  return {
    handler: async (context, input) => {
      const message = input as ReceivedMessage
      return handler(context, await check(schema, message.data, 'data'), message)
    },
  }
}

const chooseCapability = (agent: AgentDefinition, name: string | null) => {
  const ofMessage = messageCapability(agent, name)
  if (ofMessage) return ofMessage
  const names = Object.keys(agent.capabilities)
  const chosen = name ?? (names.length === 1 ? names[0] : undefined)
  const capability = chosen === undefined ? undefined : agent.capabilities[chosen]
  if (capability) return capability
  throw new AgentError(
    `agent ${agent.name} does not do ${name ?? 'a task without a capability'}; it does ${names.join(', ')}`,
    { retryable: false },
  )
}

/** Runs the handler that a task asks for; its end, however it comes, is a message. */
export const runHandler = async (agent: AgentDefinition, slot: SlotContext, task: SlotTask): Promise<Outcome> => {
  try {
    const capability = chooseCapability(agent, task.capability)
    const context = slot.forTask(task)
    const input = await check(capability.input, task.input, 'input')
    const answer = (capability.handler as Handler)(context, input)
    const result = isGenerator(answer) ? await drain(answer, context.output, slot) : await answer
    return { type: 'done', result: await check(capability.output, result, 'result') }
  } catch (error) {
    return toFailure(error)
  }
}

const drain = async (
  generator: AsyncGenerator<unknown, unknown>,
  output: (chunk: unknown) => void,
  slot: SlotContext,
): Promise<unknown> => {
  for (;;) {
    const { done, value } = await generator.next()
    if (done) return value
    output(value)
    await slot.outputRoom()
  }
}

/** How a handler that threw this has failed. */
export const toFailure = (error: unknown): Outcome => {
  const named = error instanceof AgentError || (error instanceof Error && error.name === 'AgentError')
  const { code = 'AGENT_ERROR', retryable = true } = named ? (error as AgentError) : {}
  return { type: 'failed', code, message: error instanceof Error ? error.message : String(error), retryable }
}
