import type { AgentContext } from './context.ts'
import type { HandledMessage } from './messages.ts'
import type { ResourceClass, Resources } from './resources.ts'

/** Standard Schema v1, the part we use: zod, valibot, arktype … https://standardschema.dev */
export type Schema<Output = unknown> = {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined
  }
}
type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path?: readonly unknown[] | undefined }[] }

export type InferOutput<S> = S extends Schema<infer Output> ? Output : unknown

/** An async function, or an async generator whose yields are output chunks and whose return is the result. */
export type Handler<Input = unknown, Result = unknown> = (
  ctx: AgentContext,
  input: Input,
) => Promise<Result> | AsyncGenerator<unknown, Result>

export type Capability<I = unknown, O = unknown> = {
  description?: string
  /** Input that does not fit fails the task with `AGENT_ERROR`, not retried. */
  input?: Schema<I>
  /** The result is checked before it is sent. */
  output?: Schema<O>
  handler: Handler<I, O>
}

export type AgentDefinition = {
  /** 1–100 letters, digits, `.`, `-`, `_`. */
  name: string
  /** @default 'custom' */
  type?: string
  description?: string
  labels?: Record<string, string>
  /** Tasks at a time, each in its own process. @default 1 */
  slots?: number
  /** Cap on a slot's resident memory, its children included. @default 1024 */
  memoryMb?: number
  /** What a task may use: a class, or bounds of its own. */
  resources?: ResourceClass | Partial<Resources>
  capabilities: Record<string, Capability<never, unknown>>
  /** Handlers by type of message: each message is a task, retried as tasks are, and a dead letter when that fails. */
  messages?: Record<string, HandledMessage<never>>
}

/** Types a capability's handler from its schemas. */
export const capability = <I = unknown, O = unknown>(definition: Capability<I, O>): Capability<never, unknown> =>
  definition as unknown as Capability<never, unknown>

/**
 * Declares an agent; `agent.ts` of its folder default-exports the answer.
 *
 * @example
 * export default defineAgent({
 *   name: 'greeter',
 *   capabilities: {
 *     greet: capability({ input: z.object({ name: z.string() }), handler: async (_ctx, input) => `hello ${input.name}` }),
 *   },
 * })
 */
export const defineAgent = (definition: AgentDefinition): AgentDefinition => definition

/** A failure with a name. `retryable: false` ends the task at once. */
export class AgentError extends Error {
  readonly code: string
  readonly retryable: boolean

  constructor(message: string, options: { code?: string; retryable?: boolean; cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.name = 'AgentError'
    this.code = options.code ?? 'AGENT_ERROR'
    this.retryable = options.retryable ?? true
  }
}
