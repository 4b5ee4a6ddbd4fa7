import type { LeasedTask } from '#shared/contracts/worker.ts'
import { firstThatFit, sizeOfBody } from '#shared/domain/bodies/answer-room.ts'
import { loadBody } from '#shared/domain/bodies/body.ts'
import { budgetLeft } from '#shared/domain/budgets/left.ts'
import { takeBack } from '#shared/domain/instances/end-instance.ts'
import { type Instance, leaseSeconds } from '#shared/domain/instances/instance.ts'
import { runOfTask, type Task } from '#shared/domain/tasks/task.ts'
import { loseLease, releaseLease } from '#shared/domain/tasks/task-moves.ts'
import { taskPk } from '#shared/domain/tasks/task-store.ts'
import type { Platform } from '#shared/platform/platform.ts'
import { iso } from '../../headers.ts'

const toLeased = async (platform: Platform, task: Task): Promise<LeasedTask> => {
  const { tenant, id } = task
  const load = (body: Task['input'] | undefined) => loadBody(platform, { tenant, pk: taskPk(tenant, id), body })
  const [input, checkpoint, response, left] = await Promise.all([
    load(task.input),
    task.checkpoint && load(task.checkpoint),
    task.resume && load(task.resume.response),
    budgetLeft(platform, task),
  ])
  const run = runOfTask(task)
  return {
    taskId: id,
    fence: task.lease?.fence ?? '',
    attempt: task.attempt,
    capability: task.capability ?? null,
    input,
    deadline: iso(task.deadline),
    timeoutSeconds: task.timeoutSeconds,
    leaseSeconds,
    ...(task.checkpoint && { checkpoint }),
    ...(task.resume && { resume: { kind: task.resume.kind, response, by: task.resume.by } }),
    traceparent: task.traceparent ?? null,
    ...(run !== undefined && { workflowRun: run }),
    ...(task.hops && { hops: task.hops }),
    budgetLeft: left ?? null,
  }
}

/** What was leased, as the instance is told it. What cannot be read, or has no room, goes back, and does not keep the rest. */
export const handOut = async (platform: Platform, { tenant, id }: Instance, tasks: Task[]): Promise<LeasedTask[]> => {
  const now = platform.clock.now()
  const giveBack = (some: Task[], move: (held: Task) => Task) =>
    Promise.all(some.map((task) => takeBack(platform, tenant, task.id, id, move)))
  const fit = firstThatFit(tasks, bytesOf)
  await giveBack(tasks.slice(fit.length), (held) =>
    releaseLease(held, { now, message: 'the answer had no room for it' }),
  )
  const outcomes = await Promise.allSettled(fit.map((task) => toLeased(platform, task)))
  const unread = fit.filter((_, at) => outcomes[at]?.status === 'rejected')
  await giveBack(unread, (held) => loseLease(held, { now, message: 'its input could not be read' }))
  return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
}

const bytesOf = ({ input, checkpoint, resume }: Task): number =>
  sizeOfBody(input) + sizeOfBody(checkpoint) + sizeOfBody(resume?.response)
