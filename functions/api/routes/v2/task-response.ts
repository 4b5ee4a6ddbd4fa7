import type { TaskResponse } from '#shared/contracts/tasks.ts'
import { loadBody } from '#shared/domain/bodies/body.ts'
import { isObjectRef } from '#shared/domain/objects/object-ref.ts'
import { capabilityOf, maxAttemptsOf, runOfTask, type Task } from '#shared/domain/tasks/task.ts'
import { taskPk } from '#shared/domain/tasks/task-store.ts'
import { describeCallback } from '#shared/domain/webhooks/callback.ts'
import type { Platform } from '#shared/platform/platform.ts'
import { iso } from '../../headers.ts'

/** The result as a task shows it: inline up to 32 KiB, else the object that holds it. */
const shownResult = async (platform: Platform, task: Task): Promise<Pick<TaskResponse, 'result' | 'resultRef'>> => {
  const { result: body, tenant } = task
  if (body === undefined) return {}
  if (body.in === 'object') return { resultRef: { $ref: body.id } }
  const result = await loadBody(platform, { tenant, pk: taskPk(tenant, task.id), body })
  return isObjectRef(result) ? { result, resultRef: result } : { result }
}

/** What it waits for, the whole of the prompt. */
const shownWaiting = async (platform: Platform, task: Task): Promise<Pick<TaskResponse, 'waiting'>> => {
  if (task.waiting === undefined) return {}
  const { kind, whole, since, expiresAt, approval } = task.waiting
  const { tenant, id } = task
  const prompt = whole ? await loadBody(platform, { tenant, pk: taskPk(tenant, id), body: whole }) : task.waiting.prompt
  const waiting = { kind, prompt, since: iso(since), expiresAt: iso(expiresAt), ...(approval && { approval }) }
  return { waiting }
}

const shownRun = (task: Task): Pick<TaskResponse, 'workflowRun'> => {
  const run = runOfTask(task)
  return run === undefined ? {} : { workflowRun: run }
}

/** A task as everybody is answered it. */
export const toTask = async (platform: Platform, task: Task): Promise<TaskResponse> => ({
  id: task.id,
  status: task.status,
  agent: task.target?.agentName ?? null,
  version: task.target?.version ?? null,
  capability: capabilityOf(task) ?? null,
  priority: task.priority,
  labels: task.labels,
  ...(task.parent !== undefined && { parent: task.parent }),
  ...((task.batch ?? task.fanOut) && { batch: (task.batch ?? task.fanOut)?.id }),
  attempt: task.attempt,
  maxAttempts: maxAttemptsOf(task),
  createdAt: iso(task.createdAt),
  ...(task.startedAt !== undefined && { startedAt: iso(task.startedAt) }),
  ...(task.finishedAt !== undefined && { finishedAt: iso(task.finishedAt) }),
  ...(task.runAt !== undefined && { runAt: iso(task.runAt) }),
  deadline: iso(task.deadline),
  ...(task.requirements && { requirements: task.requirements }),
  ...(task.affinityKey !== undefined && { affinityKey: task.affinityKey }),
  fairnessKey: task.fairnessKey,
  ...(task.routing && { routing: task.routing }),
  ...(task.progress && { progress: task.progress }),
  ...(task.blockedBy && { blockedBy: task.blockedBy }),
  ...(await shownWaiting(platform, task)),
  ...(task.failure && { failure: task.failure }),
  ...(await shownResult(platform, task)),
  ...(task.budget && { budget: task.budget }),
  ...(task.usage && { cost: task.usage }),
  ...(task.callback && { callback: await describeCallback(platform, task) }),
  ...(task.schedule && { schedule: task.schedule }),
  ...shownRun(task),
  ...(task.hops && { hops: task.hops }),
  ...(task.retryOf && { retryOf: task.retryOf }),
})

/** The object that is the whole result, if it is one. */
export const resultObject = (task: Task): string | undefined => {
  if (task.result?.in === 'object') return task.result.id
  return task.result?.in === 'head' && isObjectRef(task.result.value) ? task.result.value.$ref : undefined
}
