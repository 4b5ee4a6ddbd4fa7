import type { OperationOf } from '#shared/contracts/operations.ts'
import { getAgent } from '#shared/domain/agents/agent-store.ts'
import type { Caller } from '#shared/domain/caller.ts'
import { leaveInstance } from '#shared/domain/instances/end-instance.ts'
import { heldHeartbeat, requirePresent } from '#shared/domain/instances/heartbeat.ts'
import { heartbeatSeconds } from '#shared/domain/instances/instance.ts'
import { getInstance } from '#shared/domain/instances/instance-store.ts'
import { joinInstance } from '#shared/domain/instances/join-instance.ts'
import { completeTask } from '#shared/domain/tasks/complete-task.ts'
import { failTask } from '#shared/domain/tasks/fail-task.ts'
import { claimTasks, leaseTasks } from '#shared/domain/tasks/lease-tasks.ts'
import { measureAttempt } from '#shared/domain/tasks/measure-attempt.ts'
import { reportProgress } from '#shared/domain/tasks/report-progress.ts'
import type { Platform } from '#shared/platform/platform.ts'
import { requireOwnName } from '../../authorize.ts'
import { describeError } from '../../errors.ts'
import { idempotencyKey, iso, preferWait } from '../../headers.ts'
import type { Handler } from '../../operation.ts'
import { handOut } from './hand-out.ts'
import { toTask } from './task-response.ts'
import { toAttempt } from './tasks.ts'

const join: Handler<OperationOf<'joinInstance'>> = async ({ platform }, { caller, body, headers }) => {
  const { value: agent } = await getAgent(platform, caller.tenant, body.agent)
  requireOwnName(caller.principal, agent.name)
  const joined = await joinInstance(platform, caller, {
    ...body,
    agent: agent.id,
    idempotencyKey: idempotencyKey(headers),
  })
  return { status: 201, body: joined, headers: { location: `/api/v2/agents/${agent.id}/instances` } }
}

const heartbeat: Handler<OperationOf<'heartbeat'>> = async (
  { platform, settings },
  { caller, params, body, headers, signal },
) => {
  const wait = Math.min(preferWait(headers), settings.holdSeconds, longestBeatSeconds)
  return {
    status: 200,
    body: await heldHeartbeat(platform, caller, params.instance ?? '', { ...body, waitMs: wait * 1000, signal }),
    ...(wait > 0 && { headers: { 'preference-applied': `wait=${wait}` } }),
  }
}

/** A held heartbeat must not keep the next one for too long: a lease holds for three of them. */
const longestBeatSeconds = heartbeatSeconds

/** An instance that has left, or was told to drain, gets nothing more. */
const leasingInstance = async (platform: Platform, caller: Caller, id: string) => {
  const { value } = await getInstance(platform, caller.tenant, id)
  requirePresent(value)
  return value
}

const lease: Handler<OperationOf<'leaseTasks'>> = async (
  { platform, settings },
  { caller, params, query, body, signal },
) => {
  const instance = await leasingInstance(platform, caller, params.instance ?? '')
  if (instance.state === 'MAINTENANCE') return { status: 200, body: { tasks: [], retryAfterSeconds: 5 } }
  const waitSeconds = Math.min(query.wait, settings.holdSeconds)
  const receive = async (max: number) => {
    const tasks = await leaseTasks(platform, { instance, max, waitSeconds, signal })
    return { tasks, later: tasks.length === 0 && waitSeconds < query.wait, elsewhere: [] }
  }
  const { tasks, later, elsewhere } =
    'taskIds' in body ? await claimTasks(platform, instance, body.taskIds) : await receive(body.max)
  const leased = await handOut(platform, instance, tasks)
  return {
    status: 200,
    body: { tasks: leased, ...(later && { retryAfterSeconds: 1 }), ...(elsewhere.length > 0 && { elsewhere }) },
  }
}

const leave: Handler<OperationOf<'leaveInstance'>> = async ({ platform }, { caller, params }) => {
  await leaveInstance(platform, caller, params.instance ?? '')
  return { status: 204 }
}

const progress: Handler<OperationOf<'reportProgress'>> = async ({ platform }, { caller, params, body, headers }) => {
  const task = await reportProgress(platform, caller, params.task ?? '', {
    ...body,
    idempotencyKey: idempotencyKey(headers),
  })
  const agent = task.target?.agentName ?? ''
  for (const { name, value, labels: { status: _, ...labels } = {} } of body.metrics ?? [])
    platform.telemetry.metric(`agent.${name}`, value, 'Count', { ...labels, agent }) // whose it is, is not the agent's to say
  return { status: 202, body: {} }
}

const complete: Handler<OperationOf<'completeTask'>> = async ({ platform }, { caller, params, body }) => ({
  status: 200,
  body: await toTask(platform, await completeTask(platform, caller, params.task ?? '', body)),
})

/** Each by itself: one that is refused keeps no other. */
const completeMany: Handler<OperationOf<'completeTasks'>> = async ({ platform }, { caller, body }) => {
  const ends = await Promise.allSettled(
    body.completions.map(({ taskId, ...completion }) => completeTask(platform, caller, taskId, completion)),
  )
  const outcomes = body.completions.map(({ taskId }, at) => {
    const end = ends[at]
    if (end?.status === 'fulfilled') return { taskId, status: 200 }
    const { status, code, detail } = describeError(end?.reason)
    return { taskId, status, code, detail }
  })
  return { status: 200, body: { outcomes } }
}

const fail: Handler<OperationOf<'failTask'>> = async ({ platform }, { caller, params, body }) => {
  const { willRetry = false, nextAttemptAt } = await failTask(platform, caller, params.task ?? '', body)
  return { status: 200, body: { willRetry, ...(nextAttemptAt !== undefined && { nextAttemptAt: iso(nextAttemptAt) }) } }
}

const measure: Handler<OperationOf<'measureAttempt'>> = async ({ platform }, { caller, params, body }) => {
  const measurement = { fence: params.fence ?? '', measured: body }
  return { status: 200, body: toAttempt(await measureAttempt(platform, caller, params.task ?? '', measurement)) }
}

export const workerHandlers = {
  joinInstance: join,
  heartbeat,
  leaseTasks: lease,
  leaveInstance: leave,
  reportProgress: progress,
  completeTask: complete,
  completeTasks: completeMany,
  failTask: fail,
  measureAttempt: measure,
}
