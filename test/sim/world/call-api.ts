import type { Answered, Call } from '#cli/server/faults/check/history.ts'
import type { Context } from '#functions/api/operation.ts'
import { approvalHandlers } from '#functions/api/routes/v2/approvals.ts'
import { controlHandlers } from '#functions/api/routes/v2/control.ts'
import { inputHandlers } from '#functions/api/routes/v2/input.ts'
import { mailboxHandlers } from '#functions/api/routes/v2/mailboxes.ts'
import { messageHandlers } from '#functions/api/routes/v2/messages.ts'
import { runHandlers } from '#functions/api/routes/v2/runs.ts'
import { scheduleHandlers } from '#functions/api/routes/v2/schedules.ts'
import { taskHandlers } from '#functions/api/routes/v2/tasks.ts'
import { workerHandlers } from '#functions/api/routes/v2/worker.ts'
import { actorOf, type Caller, type Principal } from '#shared/domain/caller.ts'
import { DomainError } from '#shared/domain/domain-error.ts'
import { renewInPassing } from '#shared/domain/instances/heartbeat.ts'
import type { Platform } from '#shared/platform/platform.ts'
import { PlatformError } from '#shared/platform/platform-error.ts'
import type { Process } from './process.ts'
import type { World } from './world.ts'

/** The operations that the simulated clients and agents use. */
const handlers = {
  ...taskHandlers,
  ...workerHandlers,
  ...inputHandlers,
  ...approvalHandlers,
  ...controlHandlers,
  ...scheduleHandlers,
  ...messageHandlers,
  ...mailboxHandlers,
  ...runHandlers,
}

/** `status` 0: nobody answered. */
export type Reply = { status: number; code?: string; body: Record<string, unknown> }

export type Asking = {
  tenant?: string
  principal: Principal
  operation: keyof typeof handlers
  params?: Record<string, string>
  query?: Record<string, unknown>
  body?: Record<string, unknown>
  key?: string
  /** Seconds that it is ready to wait for what it asks for. */
  wait?: number
  /** Whether a message on its way there (`false`) or back (`true`) is lost. */
  isLost?: (back: boolean) => boolean
}

const noAnswer: Reply = { status: 0, body: {} }
/** So long a caller waits for an answer that does not come. */
const patienceMs = 25_000

type AnyHandler = (
  context: Pick<Context, 'platform' | 'settings'>,
  call: Record<string, unknown>,
) => Promise<{ status: number; body?: unknown }>

const settings = { version: '0.0.0', streamSeconds: 5, holdSeconds: 20 }

/** A call over the network to one of the API's processes: it, its answer, or the process may be lost. */
export const callApi = (world: World, processes: Process[], asking: Asking): Promise<Reply> =>
  new Promise((resolve) => {
    const { timeline, faults, random } = world
    const reply = (answer: Reply, ms: number): void => timeline.at(timeline.now() + ms, () => resolve(answer))
    if (asking.isLost?.(false)) return reply(noAnswer, patienceMs)
    timeline.at(timeline.now() + random.between(0, 20), () => {
      const process = random.pick(processes)
      const dead = (): void => reply(noAnswer, 10)
      process.onDeath.add(dead)
      void handle(world, process.platform, asking).then((answer) => {
        if (!process.onDeath.delete(dead)) return
        const lost = asking.isLost?.(true) || faults.losesAnswer()
        reply(lost ? noAnswer : answer, lost ? patienceMs : 5)
      })
    })
  })

/** What the HTTP app does around a handler, with the history that an operator would keep. */
const handle = async (world: World, platform: Platform, asking: Asking): Promise<Reply> => {
  const { principal, operation, params = {}, body, query, key, wait, tenant = 'default' } = asking
  const from = world.place()
  const call: Call = {
    id: `req-${from}`,
    from,
    operation,
    principal: actorOf({ principal, tenant, requestId: '' }),
    params,
    ...(typeof body?.fence === 'string' && { fence: body.fence }),
    ...(key !== undefined && { key: `${tenant} ${key}` }),
    get digest() {
      return body && JSON.stringify(body)
    },
  }
  world.calls.push(call)
  const caller: Caller = { tenant, principal, requestId: call.id }
  const reply = await attempt(async () => {
    if (principal.kind === 'instance' && operation !== 'leaveInstance')
      await renewInPassing(platform, caller, principal.id)
    const handler = handlers[operation] as unknown as AnyHandler
    return handler({ platform, settings }, { caller, params, query, body, headers: headersOf(key, wait) })
  })
  call.to = world.place()
  call.answer = essence(operation, reply)
  return reply
}

const headersOf = (key: string | undefined, wait: number | undefined) => {
  const headers: Record<string, string | undefined> = {
    'idempotency-key': key,
    prefer: wait === undefined ? undefined : `wait=${wait}`,
  }
  return { get: (name: string) => headers[name] ?? null }
}

const attempt = async (work: () => Promise<{ status: number; body?: unknown }>): Promise<Reply> => {
  try {
    const { status, body } = await work()
    return { status, body: (body ?? {}) as Reply['body'] }
  } catch (error) {
    if (error instanceof DomainError)
      return { status: error.code === 'NOT_FOUND' ? 404 : 409, code: error.code, body: {} }
    if (error instanceof PlatformError && error.retryable) return { status: 503, code: error.code, body: {} }
    return { status: 500, code: String(error), body: {} }
  }
}

const essence = (operation: string, { status, code, body }: Reply): Answered => ({
  status,
  ...(code && { code }),
  ...(typeof body.id === 'string' &&
    body.id.startsWith('tsk_') && { task: { id: body.id, status: String(body.status) } }),
  ...(operation === 'leaseTasks' &&
    Array.isArray(body.tasks) && { leased: body.tasks.map(({ taskId, fence }) => ({ id: taskId, fence })) }),
})
