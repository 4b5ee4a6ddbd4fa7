import type { OperationOf } from '#shared/contracts/operations.ts'
import type { AttemptResponse } from '#shared/contracts/tasks.ts'
import { loadBody } from '#shared/domain/bodies/body.ts'
import type { Caller } from '#shared/domain/caller.ts'
import { DomainError } from '#shared/domain/domain-error.ts'
import { getInstance } from '#shared/domain/instances/instance-store.ts'
import { type Attempt, readAttempts } from '#shared/domain/tasks/attempts.ts'
import { cancelTask } from '#shared/domain/tasks/cancel-task.ts'
import { listTasks } from '#shared/domain/tasks/list-tasks.ts'
import { submitTask } from '#shared/domain/tasks/submit-task.ts'
import { isFinished, type Task } from '#shared/domain/tasks/task.ts'
import { findTask, getTask, taskPk } from '#shared/domain/tasks/task-store.ts'
import { waitForEnd } from '#shared/domain/tasks/wait-for-end.ts'
import { explainTask } from '#shared/domain/why/explain-task.ts'
import type { Platform } from '#shared/platform/platform.ts'
import { checkInput } from '../../check-input.ts'
import { idempotencyKey, iso, parseLabels, preferWait, traceparent } from '../../headers.ts'
import type { Handler } from '../../operation.ts'
import { pageOf } from '../../page-of.ts'
import { withSubmitRate } from '../../rate-limit.ts'
import { toCommand } from '../../read-submit.ts'
import { timeRange } from '../../time-range.ts'
import { answerEvents } from './task-events.ts'
import { resultObject, toTask } from './task-response.ts'

const submit: Handler<OperationOf<'submitTask'>> = async (
  { platform, settings },
  { caller, body, headers, signal },
) => {
  const own = { idempotencyKey: idempotencyKey(headers), traceparent: traceparent(headers) }
  const command = { ...toCommand(body), ...own }
  const task = await submitTask(platform, caller, command, checkInput)
  const wait = Math.min(preferWait(headers), settings.holdSeconds)
  const last = wait > 0 ? await waitForEnd(platform, task, { seconds: wait, signal }) : task
  const waited = wait > 0 && isFinished(last)
  const location = `/api/v2/tasks/${task.id}`
  return {
    status: waited ? 200 : 202,
    body: await toTask(platform, last),
    headers: { location, ...(wait > 0 && { 'preference-applied': `wait=${wait}` }) },
  }
}

const list: Handler<OperationOf<'listTasks'>> = async ({ platform }, { caller, query }) => {
  const { limit, cursor, label, since, until, ...rest } = query
  const filter = { ...rest, labels: parseLabels(label), ...timeRange({ since, until }, '#/query') }
  const page = await listTasks(platform, caller.tenant, { filter, limit, cursor })
  return { status: 200, body: await toPage(platform, page) }
}

const toPage = async (platform: Platform, page: { items: Task[]; cursor?: string }) => ({
  items: await Promise.all(page.items.map((task) => toTask(platform, task))),
  nextCursor: page.cursor ?? null,
})

const get: Handler<OperationOf<'getTask'>> = async ({ platform, settings }, { caller, params, headers, signal }) => {
  const { value: task } = await getTask(platform, caller.tenant, params.task ?? '')
  await requireOwnTask(platform, caller, task)
  const seconds = Math.min(preferWait(headers), settings.holdSeconds)
  const last = seconds > 0 ? await waitForEnd(platform, task, { seconds, signal }) : task
  const applied = { ...(seconds > 0 && { 'preference-applied': `wait=${seconds}` }) }
  return { status: 200, body: await toTask(platform, last), headers: applied }
}

/** An instance sees the tasks of its own agent, and what its tasks called; others are not there. */
const requireOwnTask = async (platform: Platform, { tenant, principal }: Caller, task: Task): Promise<void> => {
  if (principal.kind !== 'instance') return
  const { value: instance } = await getInstance(platform, tenant, principal.id)
  if (task.target?.agent === instance.agent) return
  const parent = task.parent === undefined ? undefined : await findTask(platform, tenant, task.parent)
  if (parent?.value.target?.agent !== instance.agent) throw new DomainError('NOT_FOUND', `there is no task ${task.id}`)
}

const children: Handler<OperationOf<'listChildren'>> = async ({ platform }, { caller, params, query }) => {
  const { value: task } = await getTask(platform, caller.tenant, params.task ?? '')
  const { limit, cursor, status } = query
  const page = await listTasks(platform, caller.tenant, {
    filter: { parent: task.id, status, labels: [] },
    limit,
    cursor,
  })
  return { status: 200, body: await toPage(platform, page) }
}

const result: Handler<OperationOf<'getTaskResult'>> = async ({ platform }, { caller, params }) => {
  const { value: task } = await getTask(platform, caller.tenant, params.task ?? '')
  if (!isFinished(task))
    throw new DomainError('NOT_FINISHED', `task ${task.id} is ${task.status}; it has no result yet`)
  if (task.status !== 'SUCCEEDED')
    throw new DomainError('NOT_FOUND', `task ${task.id} is ${task.status}; it has no result`)
  const id = resultObject(task)
  const object = id === undefined ? undefined : await platform.objects.get({ tenant: caller.tenant, id })
  if (object)
    return new Response(object.body, { headers: { 'content-type': object.stat.contentType ?? 'application/json' } })
  return {
    status: 200,
    body: await loadBody(platform, { tenant: task.tenant, pk: taskPk(task.tenant, task.id), body: task.result }),
  }
}

export const toAttempt = (attempt: Attempt): AttemptResponse => ({
  ...attempt,
  startedAt: iso(attempt.startedAt),
  finishedAt: attempt.finishedAt === undefined ? undefined : iso(attempt.finishedAt),
})

const attempts: Handler<OperationOf<'listAttempts'>> = async ({ platform }, { caller, params, query }) => {
  const { value: task } = await getTask(platform, caller.tenant, params.task ?? '')
  const page = pageOf(await readAttempts(platform, task), query, ({ fence }) => fence)
  return { status: 200, body: { ...page, items: page.items.map(toAttempt) } }
}

const cancel: Handler<OperationOf<'cancelTask'>> = async ({ platform }, { caller, params, body }) => ({
  status: 200,
  body: await toTask(platform, await cancelTask(platform, caller, params.task ?? '', body.reason)),
})

const why: Handler<OperationOf<'getTaskWhy'>> = async ({ platform }, { caller, params }) => ({
  status: 200,
  body: await explainTask(platform, caller.tenant, params.task ?? ''),
})

export const taskHandlers = {
  getTaskWhy: why,
  submitTask: withSubmitRate(submit),
  listTasks: list,
  getTask: get,
  listChildren: children,
  getTaskResult: result,
  listAttempts: attempts,
  listTaskEvents: answerEvents,
  cancelTask: cancel,
}
