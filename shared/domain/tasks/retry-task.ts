import type { Platform } from '../../platform/platform.ts'
import { takesWork } from '../agents/agent.ts'
import { findAgent } from '../agents/agent-store.ts'
import { loadBody } from '../bodies/body.ts'
import { type Caller, stamp } from '../caller.ts'
import { compete } from '../contention.ts'
import { sendTask } from '../dispatch/send-task.ts'
import { DomainError } from '../domain-error.ts'
import { distributionOf } from '../fan-out/redistribute.ts'
import { type InputStream, passOn, streamKey } from '../input/input-stream.ts'
import { makeKey } from '../made-key.ts'
import { loadCallback } from '../webhooks/callback.ts'
import type { SubmitCommand } from './submit-command.ts'
import { type CheckInput, submitTask } from './submit-task.ts'
import { isFinished, type Task } from './task.ts'
import { hurryTask } from './task-moves.ts'
import { changeTask, findTask, getTask, taskPk } from './task-store.ts'

type Ports = Omit<Platform, 'feed' | 'bus' | 'hosts' | 'generation'>

export type Retry = { from: 'checkpoint' | 'start'; idempotencyKey?: string }
/** `isNew`: another task that does the work of one that has ended. */
export type Retried = { task: Task; isNew: boolean }

/**
 * Does a task again. One that backs off starts now. One that failed or was cancelled stays what it is: a new task does
 * its work, from the last checkpoint or from the start.
 */
export const retryTask = async (
  ports: Ports,
  caller: Caller,
  id: string,
  retry: Retry,
  checkInput: CheckInput,
): Promise<Retried> => {
  const { value: task } = await getTask(ports, caller.tenant, id)
  if (task.status === 'SCHEDULED' && task.failures > 0) return { task: await hurry(ports, caller, id), isNew: false }
  if (task.status !== 'FAILED' && task.status !== 'CANCELLED')
    throw new DomainError(
      'CONFLICT',
      `task ${id} is ${task.status}; what failed, was cancelled, or backs off can be retried`,
    )
  await requireNoShard(ports, task)
  const command = await toCommand(ports, task, retry)
  return { task: await submitOpen(ports, caller, command, checkInput), isNew: true }
}

/** What became of a shard is counted once: no other task takes its place while the task that it is one of runs. */
const requireNoShard = async (ports: Ports, { id, tenant, status, parent, batch }: Task): Promise<void> => {
  if (parent === undefined || batch === undefined) return
  const whole = (await findTask(ports, tenant, parent))?.value
  if (whole === undefined || isFinished(whole) || whole.fanOut?.id !== batch.id) return
  const part = typeof batch.row === 'number' ? `shard ${batch.row}` : `the ${batch.row}`
  throw new DomainError(
    'CONFLICT',
    `task ${id} is ${part} of task ${parent}, where it counts as ${status}; retry task ${parent} when that has ended`,
  )
}

/** Whoever is above it may end while it is submitted: then it has its place below the next one, or below nobody. */
const submitOpen: typeof submitTask = (ports, caller, command, checkInput) =>
  compete(ports, `what is above task ${command.retryOf?.id}`, async () => {
    const submitting = submitTask(ports, caller, command, checkInput)
    return submitting.then(
      (done) => ({ done }),
      (error: unknown) => {
        if (error instanceof DomainError && error.code === 'ALREADY_FINISHED') return undefined
        throw error
      },
    )
  })

const hurry = async (ports: Ports, caller: Caller, id: string): Promise<Task> => {
  const { task } = await changeTask(ports, await getTask(ports, caller.tenant, id), (current) => {
    const next = hurryTask(current, ports.clock.now())
    return { task: next === current ? next : { ...next, stamp: stamp(caller, 'task.retry') }, answer: undefined }
  })
  await sendTask(ports, task)
  return task
}

/** What was asked for then, asked for now: as much time until the deadline, and the same bounds. */
const toCommand = async (ports: Ports, task: Task, { from, idempotencyKey }: Retry): Promise<SubmitCommand> => {
  const { tenant, id } = task
  const load = (body: Task['input'] | undefined) => loadBody(ports, { tenant, pk: taskPk(tenant, id), body })
  const checkpoint = from === 'checkpoint' && task.checkpoint ? await load(task.checkpoint) : undefined
  const { capability, priority, labels, retry, timeoutSeconds, budget, requirements, traceparent } = task
  const { affinityKey, fairnessKey, hops } = task
  return {
    ...(await whoDoesIt(ports, task)),
    capability,
    input: await load(task.input),
    priority,
    labels,
    ...(task.fanOut === undefined && { retry }), // else each shard's own, as it was asked for
    timeoutSeconds,
    budget,
    requirements,
    affinityKey,
    fairnessKey,
    traceparent,
    ...(hops && { hops }),
    callback: await loadCallback(ports, task),
    ...(task.deadlineGiven && { deadline: ports.clock.now() + (task.deadline - task.createdAt) }),
    idempotencyKey: idempotencyKey && makeKey('retry', id, idempotencyKey),
    retryOf: {
      id,
      from,
      checkpoint,
      ...(checkpoint !== undefined && { agent: task.target?.agent }),
      stream: await streamOf(ports, task, checkpoint === undefined),
    },
    ...(task.fanOut && (await distributionOf(ports, task, task.fanOut.id))),
  }
}

/** What it was given: nothing is added once it has ended. */
const streamOf = async (
  { main }: Ports,
  { tenant, id }: Task,
  fromStart: boolean,
): Promise<InputStream | undefined> => {
  const stream = await main.get<InputStream>(streamKey(tenant, id))
  return stream && passOn(stream.value, { task: id, fromStart })
}

/** The agent that was named, while it takes work; else whoever offers the capability. */
const whoDoesIt = async (ports: Ports, task: Task): Promise<{ agent?: string }> => {
  const { tenant, target, capability, agentNamed } = task
  if (target === undefined || !(agentNamed || capability === undefined)) return {}
  const agent = (await findAgent(ports, tenant, target.agent))?.value
  return (agent && takesWork(agent)) || capability === undefined ? { agent: target.agent } : {}
}
