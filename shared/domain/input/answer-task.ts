import type { Platform } from '../../platform/platform.ts'
import { planBody } from '../bodies/body.ts'
import { actorOf, type Caller, stamp } from '../caller.ts'
import { sendTask } from '../dispatch/send-task.ts'
import { DomainError, orThrow } from '../domain-error.ts'
import { digest } from '../ids.ts'
import type { Task } from '../tasks/task.ts'
import { resumeTask } from '../tasks/task-moves.ts'
import { changeTask, getTask, taskPk } from '../tasks/task-store.ts'
import { keyItem, wasDone } from './input-key.ts'

export type AnswerCommand = { response: unknown; idempotencyKey?: string }

type Ports = Omit<Platform, 'feed' | 'bus' | 'hosts' | 'generation'>

/** Gives a task the input that it waits for. Under its idempotency key the same answer again changes nothing. */
export const answerTask = async (
  ports: Ports,
  caller: Caller,
  id: string,
  { response, idempotencyKey }: AnswerCommand,
): Promise<Task> => {
  const { tenant } = caller
  const request = { tenant, task: id, idempotencyKey, body: digest({ response }) }
  const start = await getTask(ports, tenant, id)
  if (await wasDone(ports, request)) return start.value
  requireInputWait(start.value, ports.clock.now())
  const stamped = stamp(caller, 'task.input')
  const sk = `response#${start.value.epoch}`
  const planned = await planBody(ports, { tenant, pk: taskPk(tenant, id), sk, value: response, stamp: stamped })
  const resume = { kind: 'input' as const, response: planned.body, by: actorOf(caller) }
  const { task } = await changeTask(ports, start, async (current) => {
    if (await wasDone(ports, request)) return { task: current, answer: undefined }
    const now = ports.clock.now()
    requireSameWait(start.value, current, now)
    const next = orThrow(resumeTask(current, { resume, now }))
    const items = [...planned.items, ...keyItem(request, {})]
    return { task: { ...next, stamp: stamped }, items, answer: undefined }
  })
  await sendTask(ports, task)
  return task
}

/** A wait that has expired takes no answer, although nobody has ended it yet. */
const requireInputWait = (task: Task, now: number): void => {
  const { status, waiting } = task
  if (status === 'WAITING' && waiting?.kind === 'input' && waiting.expiresAt > now) return
  throw new DomainError('NOT_WAITING', `task ${task.id} ${insteadOfWait(task)}`)
}

const insteadOfWait = ({ status, waiting }: Task): string => {
  if (waiting?.approval !== undefined)
    return `waits for an approval: POST /approvals/${waiting.approval}/approve or /reject`
  return waiting === undefined
    ? `is ${status}; a response is for a task that waits for input`
    : `waited for its input until ${new Date(waiting.expiresAt).toISOString()}, and takes none any more`
}

/** The answer is to the question that was there when it came, and to no later one. */
const requireSameWait = (before: Task, task: Task, now: number): void => {
  requireInputWait(task, now)
  if (task.epoch !== before.epoch)
    throw new DomainError('NOT_WAITING', `task ${task.id} was answered by somebody else and asks something else by now`)
}
