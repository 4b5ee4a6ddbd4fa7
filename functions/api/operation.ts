import type { z } from 'zod'
import type { Operation } from '#shared/contracts/operations.ts'
import type { Caller } from '#shared/domain/caller.ts'
import type { Platform } from '#shared/platform/platform.ts'
import type { AgentHost } from './authorize.ts'

export type ApiSettings = {
  version: string
  /** How long one answer may stay open (event streams): they end after it, and clients resume. */
  streamSeconds: number
  /** How long a lease call or a `Prefer: wait` may hold a request. */
  holdSeconds: number
}

type Output<S> = S extends z.ZodType ? z.output<S> : undefined

/** What a handler is given, parsed and authorized. */
export type Call<O extends Operation = Operation> = {
  caller: Caller
  params: Record<string, string>
  query: Output<O['query']>
  /** What came, parsed; or as it came, where the contract says raw. */
  body: O extends { raw: true } ? string : Output<O['body']>
  headers: Headers
  /** Aborts when the client is gone, or the host stops: what there is by then is the answer. */
  signal: AbortSignal
}

export type Reply = { status: number; body?: unknown; headers?: Record<string, string> }

export type Context = { platform: Platform; settings: ApiSettings }

export type Handler<O extends Operation> = (context: Context, call: Call<O>) => Promise<Reply | Response>

/** What the app is given beside a request, and what it keeps while it answers one. */
export type ApiEnv = {
  Bindings: {
    agentHost?: AgentHost
    /** The signal of a request that waits. @default that of the request */
    hold?: () => AbortSignal
  }
  Variables: { requestId: string }
}
