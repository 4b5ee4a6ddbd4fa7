import { messageCapability } from '../agents/agent.ts'
import { findAgent } from '../agents/agent-store.ts'
import { loadBody } from '../bodies/body.ts'
import type { Caller } from '../caller.ts'
import { DomainError, type DomainErrorCode } from '../domain-error.ts'
import { bury, isForTask, type Letter } from '../inboxes/letter.ts'
import { letterPk } from '../inboxes/letter-store.ts'
import { type CheckInput, submitTask } from '../tasks/submit-task.ts'
import { isFinished, type Task } from '../tasks/task.ts'
import { taskPk } from '../tasks/task-store.ts'
import { settleLetter } from './acknowledge-mailbox.ts'
import type { MessagePorts } from './deliverers.ts'
import { toCloudEvent } from './envelope.ts'
import { respond } from './respond.ts'

/** Refusals that no repetition changes. */
const final: DomainErrorCode[] = ['INVALID', 'CONFLICT', 'NOT_FOUND', 'TOO_LARGE', 'IDEMPOTENCY_CONFLICT']

/** What a letter does, its agent does. */
const callerOf = (tenant: string, agent: string, requestId: string): Caller => ({
  tenant,
  principal: { kind: 'host', agent },
  requestId,
})

/** Makes the task of a letter that its agent has a handler for, once for each time that it waits. */
export const handleLetter = async (ports: MessagePorts, letter: Letter, checkInput: CheckInput): Promise<void> => {
  if (!isForTask(letter)) return
  const { tenant, id, inbox, envelope, data, dataPk = letterPk(tenant, id), endsAt, revivals = 0 } = letter
  const agent = (await findAgent(ports, tenant, inbox))?.value
  try {
    if (agent === undefined) throw new DomainError('NOT_FOUND', `there is no agent ${inbox}`)
    const command = {
      agent: inbox,
      capability: messageCapability(envelope.type),
      input: toCloudEvent(letter, await loadBody(ports, { tenant, pk: dataPk, body: data })),
      labels: {},
      letter: id,
      ...(endsAt !== undefined && { deadline: endsAt }),
      traceparent: envelope.traceparent,
      idempotencyKey: `letter:${id}:${revivals}`,
    }
    await submitTask(ports, callerOf(tenant, agent.name, id), command, checkInput)
  } catch (error) {
    if (!(error instanceof DomainError) || !final.includes(error.code)) throw error
    const { code, message } = error
    await settleLetter(ports, letter, (current) =>
      isForTask(current) ? bury(current, ports.clock.now(), { code, message }) : current,
    )
  }
}

/** A letter whose task succeeded is done, and a request answered with the result; else it is a dead letter. */
export const endLetter = async (ports: MessagePorts, task: Task): Promise<void> => {
  if (task.letter === undefined || !isFinished(task)) return
  const now = ports.clock.now()
  const { status, failure } = task
  const { code = status, message = `its task ${task.id} is ${status}` } = failure ?? {}
  const letter = await settleLetter(ports, { tenant: task.tenant, id: task.letter }, (current) => {
    if (!isForTask(current)) return current
    return status === 'SUCCEEDED'
      ? { ...current, state: 'DONE', settledAt: now }
      : bury(current, now, { code, message })
  })
  if (letter?.envelope.kind === 'request') await answer(ports, task, letter)
}

const answer = async (ports: MessagePorts, task: Task, { envelope }: Letter): Promise<void> => {
  const { tenant, id, result, failure, target } = task
  const caller = callerOf(tenant, target?.agentName ?? '', id)
  const data =
    task.status === 'SUCCEEDED'
      ? await loadBody(ports, { tenant, pk: taskPk(tenant, id), body: result })
      : { code: failure?.code ?? task.status, message: failure?.message ?? `task ${id} is ${task.status}` }
  const type = task.status === 'SUCCEEDED' ? undefined : `${envelope.type}.failed`
  try {
    await respond(ports, caller, envelope.id, { type, data })
  } catch (error) {
    if (!(error instanceof DomainError) || !['ALREADY_ANSWERED', 'NOT_FOUND'].includes(error.code)) throw error
  }
}
