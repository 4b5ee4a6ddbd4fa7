import type { Item, Platform } from '../../platform/platform.ts'
import type { ApprovalTerms } from '../approvals/approval.ts'
import { requestApproval } from '../approvals/approval-moves.ts'
import { approvalItem } from '../approvals/approval-store.ts'
import { planBody } from '../bodies/body.ts'
import { actorOf, type Caller, stamp } from '../caller.ts'
import { remind } from '../dispatch/due.ts'
import { orThrow } from '../domain-error.ts'
import { digest, idFromKey } from '../ids.ts'
import type { Task, Waiting } from '../tasks/task.ts'
import { requireFence, waitTask as wait } from '../tasks/task-moves.ts'
import { changeTask, getTask, taskPk } from '../tasks/task-store.ts'
import { writerOf } from '../tasks/worker-instance.ts'
import { defaultExpirySeconds } from './default-expiry.ts'

export type WaitCommand = ApprovalTerms & {
  fence: string
  kind: Waiting['kind']
  prompt: unknown
  /** Where the task goes on; absent: at its last checkpoint. */
  checkpoint?: unknown
  expiresInSeconds?: number
}

type Ports = Pick<
  Platform,
  'main' | 'volatile' | 'objects' | 'clock' | 'random' | 'queues' | 'telemetry' | 'generation'
>

/**
 * Ends the lease of a task that asks people for something, with the approval that it asks for in the same write.
 * Repeated with the same fence and body it answers the task as it is by now.
 */
export const waitTask = async (ports: Ports, caller: Caller, id: string, command: WaitCommand): Promise<Task> => {
  const { tenant } = caller
  const body = digest(command)
  const start = await getTask(ports, tenant, id)
  if (isRepeated(start.value, command.fence, body)) return start.value
  orThrow(requireFence(start.value, command.fence, writerOf(ports, caller)))
  const { checkpoint, prompt } = await planBodies(ports, caller, id, command)
  const { task } = await changeTask(ports, start, (current) => {
    if (isRepeated(current, command.fence, body)) return { task: current, answer: undefined }
    const held = orThrow(requireFence(current, command.fence, writerOf(ports, caller)))
    const now = ports.clock.now()
    const { waiting, items } = ask(held, { command, prompt, now, caller })
    const next = wait(held, { waiting, digest: body, checkpoint: checkpoint?.body, now })
    return {
      task: { ...next, stamp: stamp(caller, 'task.wait') },
      items: [...items, ...prompt.items, ...(checkpoint?.items ?? [])],
      answer: undefined,
    }
  })
  await remindOf(ports, task, command)
  return task
}

const isRepeated = ({ answer }: Task, fence: string, body: string): boolean =>
  answer?.fence === fence && answer.digest === body

/** Keyed by the fence: what a stale holder writes replaces nothing. */
const planBodies = async (ports: Ports, caller: Caller, id: string, { fence, checkpoint, prompt }: WaitCommand) => {
  const plan = (name: string, value: unknown) =>
    planBody(ports, {
      tenant: caller.tenant,
      pk: taskPk(caller.tenant, id),
      sk: `${name}#${fence}#wait`,
      value,
      stamp: stamp(caller, 'task.wait'),
    })
  return {
    prompt: await plan('prompt', prompt),
    checkpoint: checkpoint === undefined ? undefined : await plan('checkpoint', checkpoint),
  }
}

const shortPrompt = 200

type Asked = { command: WaitCommand; prompt: Awaited<ReturnType<typeof planBody>>; now: number; caller: Caller }

/** What the head says of the wait, and the approval where it is one. */
const ask = (task: Task, { command, prompt, now, caller }: Asked): { waiting: Waiting; items: Item[] } => {
  const { kind, fence, expiresInSeconds = defaultExpirySeconds } = command
  const expiresAt = Math.min(
    now + expiresInSeconds * 1000,
    task.deadlineGiven ? task.deadline : Number.POSITIVE_INFINITY,
  )
  const text = typeof command.prompt === 'string' ? command.prompt : JSON.stringify(command.prompt)
  const said = prompt.body.in === 'head' ? { prompt: command.prompt } : { prompt: `${text.slice(0, shortPrompt)}…` }
  const waiting: Waiting = { kind, ...said, since: now, expiresAt }
  if (prompt.body.in !== 'head') waiting.whole = prompt.body
  if (kind === 'input') return { waiting, items: [] }
  const id = approvalIdOf(task, fence)
  const { tenant, id: asking, capability, target } = task
  const asked = requestApproval(
    { tenant, task: asking, agent: target?.agentName ?? '', capability },
    {
      id,
      prompt: command.prompt,
      terms: command,
      now,
      expiresAt,
      by: actorOf(caller),
    },
  )
  const approval = { ...asked, stamp: stamp(caller, 'approval.request') }
  return { waiting: { ...waiting, approval: id }, items: [approvalItem(approval)] }
}

const approvalIdOf = ({ tenant, id }: Pick<Task, 'tenant' | 'id'>, fence: string): string =>
  idFromKey('apr', tenant, `${id} ${fence}`)

const remindOf = async (ports: Ports, { tenant, id, dueAt, waiting }: Task, command: WaitCommand): Promise<void> => {
  if (waiting === undefined || dueAt === undefined) return
  await remind(ports, { tenant, id, at: dueAt })
  if (waiting.approval === undefined || command.escalateAfterSeconds === undefined) return
  const at = waiting.since + command.escalateAfterSeconds * 1000
  await remind(ports, { tenant, id: waiting.approval, at })
}
