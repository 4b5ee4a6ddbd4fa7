import type { InputPage, Wait } from '#shared/contracts/input.ts'
import type { Fields, LogLevel, ObjectRef, Usage } from '../sdk/context.ts'
import type { ReceivedMessage } from '../sdk/messages.ts'

/** What a slot is told to run. */
export type SlotTask = {
  id: string
  fence: string
  attempt: number
  capability: string | null
  deadline: string
  timeoutSeconds: number
  traceparent: string | null
  workflowRun?: string
  /** What led to it: messages that it sends know that. */
  hops?: string[]
  input: unknown
  checkpoint: unknown
  /** The answer to what the checkpoint waited for. */
  resume?: { kind: string; response: unknown; by: string }
}

/** A message of the mailbox, as the platform gives it. */
export type ReceivedMail = { receives: number; message: ReceivedMessage }

/** Calls that the runner answers for a slot, which has no credential of its own. */
export type SlotCalls = {
  checkpoint: { argument: unknown; answer: null }
  /** Never answered, except with an error: the process ends. */
  wait: { argument: Omit<Wait, 'fence' | 'prompt'> & { prompt: unknown }; answer: null }
  inputs: { argument: { after: number }; answer: Pick<InputPage, 'records' | 'ended'> }
  send: { argument: { key: string; body: Record<string, unknown> }; answer: { id: string } }
  response: { argument: { id: string }; answer: Record<string, unknown> | null }
  receive: { argument: { max: number; waitSeconds: number; visibilitySeconds: number }; answer: ReceivedMail[] }
  getState: { argument: { run: string; key: string }; answer: { value: unknown; rev: string } | null }
  /** `false`: it is not at `rev` any more; an empty one: there is one by now. */
  putState: { argument: { run: string; key: string; value: unknown; rev?: string }; answer: boolean }
  acknowledge: { argument: { id: string }; answer: null }
  fetch: { argument: ObjectRef; answer: string }
  call: {
    argument: { key: string; body: Record<string, unknown> }
    answer: { result: unknown } | { failed: { code: string; message: string; retryable: boolean } }
  }
  put: { argument: { file?: string; base64?: string; contentType?: string }; answer: ObjectRef }
}

export type ToSlot =
  | { type: 'run'; task: SlotTask }
  | { type: 'abort'; reason: string }
  | { type: 'answer'; id: number; value?: unknown; error?: string }
  | { type: 'flushed'; count: number }

export type FromSlot =
  | { type: 'ready' }
  | { type: 'progress'; percent: number; message?: string }
  | { type: 'output'; chunk: unknown }
  | { type: 'log'; level: LogLevel; message: string; fields?: Fields }
  | { type: 'metric'; name: string; value: number; unit?: string; labels?: Record<string, string> }
  | { type: 'usage'; used: Usage }
  | { type: 'call'; id: number; name: keyof SlotCalls; argument: unknown }
  | { type: 'done'; result: unknown }
  | { type: 'failed'; code: string; message: string; retryable: boolean }
