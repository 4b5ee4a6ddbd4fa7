import type { AgentContext } from './context.ts'
import type { Schema } from './define-agent.ts'

/** A message as it is received: a CloudEvent. https://cloudevents.io */
export type ReceivedMessage<Data = unknown> = {
  id: string
  source: string
  type: string
  time: string
  subject?: string
  kind?: string
  conversation?: string
  correlationid?: string
  replyto?: string
  expirytime?: string
  /** The run of a workflow that it belongs to. */
  workflowrun?: string
  traceparent?: string
  topic?: string
  hops?: string
  data?: Data
  dataref?: string
}

/** What becomes of the answer: of a request it is the response. */
export type MessageHandler<Data = unknown> = (
  ctx: AgentContext,
  data: Data,
  message: ReceivedMessage<Data>,
) => Promise<unknown>

export type HandledMessage<Data = unknown> = {
  /** Data that does not fit makes a dead letter at once. */
  data?: Schema<Data>
  handler: MessageHandler<Data>
}

/** Types a message's handler from its schema. */
export const message = <Data = unknown>(definition: HandledMessage<Data>): HandledMessage<never> =>
  definition as unknown as HandledMessage<never>

/** An agent by name, an agent that offers a capability, a topic, or a queue. */
export type MessageTo = string | { agent: string } | { capability: string } | { topic: string } | { queue: string }

export type SendOptions = {
  /** The same key, by the same task, is the same message. @default its content, and how many like it came before */
  key?: string
  subject?: string
  conversation?: string
  correlationId?: string
  /** ISO 8601. */
  expiresAt?: string
  /** It belongs to the run of this task: who handles it works for that run, and shares its `ctx.state`. */
  ofRun?: boolean
}

/** A message of the agent's own mailbox: `acknowledge` ends it, else it comes again. */
export type Mail = ReceivedMessage & { receives: number; acknowledge(): Promise<void> }
