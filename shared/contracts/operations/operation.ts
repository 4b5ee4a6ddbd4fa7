import type * as z from 'zod'
import type { RefusalCode } from '../refusals.ts'

/** Who may call: `admin` and `agent` are roles of keys, `host` a hosted agent, `instance` a running copy, `anyone` who shows none. */
export type Audience = 'admin' | 'agent' | 'host' | 'instance' | 'anyone'

export type Tag =
  | 'Agents'
  | 'Instances'
  | 'Tasks'
  | 'Worker protocol'
  | 'Objects'
  | 'Batches'
  | 'Approvals'
  | 'Schedules'
  | 'Webhooks'
  | 'Workflows'
  | 'Runs'
  | 'Limits'
  | 'Messages'
  | 'Topics'
  | 'Queues'
  | 'Hooks'
  | 'Realtime'

export type Operation = {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below `/api/v2`; `{x}` is a parameter. */
  path: string
  tag: Tag
  summary: string
  description?: string
  audience: readonly Audience[]
  query?: z.ZodObject
  body?: z.ZodType
  /** The body is handed on as the text that came: what is signed must not be read and written anew. */
  raw?: true
  /** An instance that has left may call it again. */
  alsoLeft?: true
  /** A body may be left out altogether. */
  bodyOptional?: true
  /** Request headers that matter besides the usual ones. */
  headers?: readonly ('Idempotency-Key' | 'If-Match' | 'Prefer' | 'Last-Event-ID' | 'traceparent')[]
  answers: Record<number, { description: string; schema?: z.ZodType; also?: 'text/event-stream' | 'any' }>
  /** Refusals besides those that its shape says. */
  refusals?: readonly RefusalCode[]
}

export const people = ['admin', 'agent', 'instance', 'host'] as const
/** Whoever calls is known by something else than a key. */
export const anyone = ['anyone'] as const
export const admins = ['admin'] as const
export const enrolling = ['admin', 'agent', 'host'] as const
export const workers = ['admin', 'instance'] as const
