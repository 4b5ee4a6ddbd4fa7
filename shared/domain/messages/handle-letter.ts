import { messageCapability } from '../agents/agent.ts'
import { getAgent } from '../agents/agent-store.ts'
import { loadBody } from '../bodies/body.ts'
import type { Caller } from '../caller.ts'
import { DomainError, type DomainErrorCode } from '../domain-error.ts'
import { idFromKey } from '../ids.ts'
import { changeLetter } from '../inboxes/change-letter.ts'
import { bury, type DeadReason, isForTask, type Letter, laterLookMs } from '../inboxes/letter.ts'
import { findLetter, letterPk } from '../inboxes/letter-store.ts'
import { type CheckInput, submitTask } from '../tasks/submit-task.ts'
import { isFinished, type Task } from '../tasks/task.ts'
import { findTask, taskPk } from '../tasks/task-store.ts'
import { goneReason } from './attend-mailbox.ts'
import type { MessagePorts } from './deliverers.ts'
import { toCloudEvent } from './envelope.ts'
import { answerFor, failLetter, failureOf } from './fail-letter.ts'
import type { ResponseCommand } from './respond.ts'

/** Refusals that no repetition changes. */
const final: DomainErrorCode[] = ['INVALID', 'CONFLICT', 'NOT_FOUND', 'TOO_LARGE', 'IDEMPOTENCY_CONFLICT']

/** What a letter does, its agent does. */
const callerOf = (tenant: string, agent: string, requestId: string): Caller => ({
  tenant,
  principal: { kind: 'host', agent },
  requestId,
})

/** Each time that a letter waits, it has one task: the key of it. */
const keyOf = ({ id, revivals = 0 }: Letter): string => `letter\n${id}\n${revivals}`

/** The task that a letter with a handler becomes. */
export const taskOfLetter = (letter: Letter): string => idFromKey('tsk', letter.tenant, keyOf(letter))

/** Makes the task of a letter that its agent has a handler for, once for each time that it waits. */
export const handleLetter = async (ports: MessagePorts, letter: Letter, checkInput: CheckInput): Promise<void> => {
  if (!isForTask(letter)) return
  const { tenant, id, inbox, envelope, data, dataPk = letterPk(tenant, id), endsAt } = letter
  const { value: agent } = await getAgent(ports, tenant, inbox)
  if (agent.decommissionedAt !== undefined) return failLetter(ports, letter, goneReason(agent))
  try {
    const command = {
      agent: inbox,
      capability: messageCapability(envelope.type),
      input: toCloudEvent(letter, await loadBody(ports, { tenant, pk: dataPk, body: data })),
      labels: {},
      letter: id,
      ...(envelope.run !== undefined && { run: envelope.run }),
      ...(letter.hops.length > 0 && { hops: letter.hops }),
      ...(endsAt !== undefined && { deadline: endsAt }),
      traceparent: envelope.traceparent,
      idempotencyKey: keyOf(letter),
    }
    await submitTask(ports, callerOf(tenant, agent.name, id), command, checkInput)
  } catch (error) {
    if (!(error instanceof DomainError) || !final.includes(error.code)) throw error
    await failLetter(ports, letter, { code: error.code, message: error.message })
  }
}

/** An earlier task, of before the letter was put back, says nothing about it any more. */
const isTaskOf = ({ id }: Task, letter: Letter): boolean => id === taskOfLetter(letter)

/** A letter whose task succeeded is done, and a request answered with the result; else it is a dead letter. */
export const endLetter = async (ports: MessagePorts, task: Task): Promise<void> => {
  if (task.letter === undefined || !isFinished(task)) return
  const now = ports.clock.now()
  const { status } = task
  const letter = await changeLetter(ports, { tenant: task.tenant, id: task.letter }, (current) => {
    if (!isForTask(current) || !isTaskOf(task, current)) return current
    return status === 'SUCCEEDED' ? { ...current, state: 'DONE', settledAt: now } : bury(current, now, reasonOf(task))
  })
  if (letter?.envelope.kind === 'request' && isTaskOf(task, letter))
    await answerFor(ports, letter, await responseOf(ports, task, letter))
}

const reasonOf = ({ id, status, failure }: Task): DeadReason => ({
  code: failure?.code ?? status,
  message: failure?.message ?? `its task ${id} is ${status}`,
})

const responseOf = async (ports: MessagePorts, task: Task, letter: Letter): Promise<ResponseCommand> => {
  const { tenant, id, status, result } = task
  if (status !== 'SUCCEEDED') return failureOf(letter, reasonOf(task))
  return { data: await loadBody(ports, { tenant, pk: taskPk(tenant, id), body: result }) }
}

/** Does again what was missed of a letter that a task handles: makes the task, or ends with it. */
export const attendLetter = async (
  ports: MessagePorts,
  { checkInput }: { checkInput: CheckInput },
  { tenant, id }: { tenant: string; id: string },
): Promise<void> => {
  const letter = (await findLetter(ports, tenant, id))?.value
  const now = ports.clock.now()
  if (letter?.state !== 'WAITING' || (letter.dueAt ?? Number.POSITIVE_INFINITY) > now) return
  const task = await findTask(ports, tenant, taskOfLetter(letter))
  await (task ? endLetter(ports, task.value) : handleLetter(ports, letter, checkInput))
  await changeLetter(ports, letter, (current) =>
    current.state === 'WAITING' && current.dueAt === letter.dueAt ? { ...current, dueAt: now + laterLookMs } : current,
  )
}
