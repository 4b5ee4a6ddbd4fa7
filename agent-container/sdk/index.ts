/** The agent SDK: `import { defineAgent, capability } from '#agent/sdk/index.ts'`. */
export type {
  AgentContext,
  CallOptions,
  CallTarget,
  ObjectRef,
  RepositoryInput,
  SharedState,
  Usage,
} from './context.ts'
export { type AgentDefinition, AgentError, capability, defineAgent, type Handler, type Schema } from './define-agent.ts'
export { type Mail, type MessageTo, message, type ReceivedMessage, type SendOptions } from './messages.ts'
export type { ApprovalAnswer, ApprovalOptions, InputRecord, InputRequest } from './people.ts'
export type { ResourceClass, Resources } from './resources.ts'
