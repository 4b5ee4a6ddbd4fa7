import { stamp } from '../../caller.ts'
import { idFromKey } from '../../ids.ts'
import type { Recipient } from '../../messages/message.ts'
import { findMessage } from '../../messages/message-store.ts'
import { putOnTopic } from '../../messages/put-on-topic.ts'
import { type SendCommand, sendMessage } from '../../messages/send-message.ts'
import { callerOfRun, type Run } from '../run.ts'
import type { Asked, Begun, StepPorts } from './step-command.ts'

const sourceOf = ({ workflow }: Run): string => `devcycle.workflow.${workflow}`
const keyOf = (run: Run, { id }: Asked): string => `${run.id} ${id}`

/** Puts a message of the run on a topic, or sends it to whom it is for; the same step again is the same message. */
export const beginMessage = async (ports: StepPorts, run: Run, asked: Asked): Promise<Begun> =>
  asked.step.topic === undefined ? sendOne(ports, run, asked) : tellTopic(ports, run, asked)

const tellTopic = async (ports: StepPorts, run: Run, { id, step }: Asked): Promise<Begun> => {
  const topic = String(step.topic)
  const envelope = {
    id: idFromKey('msg', run.tenant, `step\n${run.id}\n${id}`),
    kind: 'workflow' as const,
    source: sourceOf(run),
    type: String(step.type ?? topic),
    subject: run.id,
    time: run.startedAt,
    run: run.id,
    ...(step.conversation !== undefined && { conversation: String(step.conversation) }),
  }
  const message = { topic, envelope, data: step.body ?? null, passed: run.hops }
  await putOnTopic(ports, run.tenant, message, stamp(callerOfRun(run), 'run.message'))
  return { output: { id: envelope.id } }
}

const commandOf = (run: Run, asked: Asked): Omit<SendCommand, 'kind'> => ({
  to: asked.step.to as Recipient,
  type: String(asked.step.type),
  data: asked.step.body ?? null,
  source: sourceOf(run),
  subject: run.id,
  run: run.id,
  passed: run.hops ?? [],
  idempotencyKey: keyOf(run, asked),
  ...(asked.step.conversation !== undefined && { conversation: String(asked.step.conversation) }),
})

const sendOne = async (ports: StepPorts, run: Run, asked: Asked): Promise<Begun> => {
  const { id } = await sendMessage(ports, callerOfRun(run), { ...commandOf(run, asked), kind: 'workflow' })
  return { output: { id } }
}

/** Asks an agent; its response, or its silence, ends the step. The same step again is the same request. */
export const beginRequest = async (ports: StepPorts, run: Run, asked: Asked): Promise<Begun> => {
  const id = idFromKey('msg', run.tenant, keyOf(run, asked))
  if (await findMessage(ports, run.tenant, id)) return { message: id }
  const expiresAt = ports.clock.now() + Number(asked.step.timeoutSeconds) * 1000
  const step = { run: run.id, id: asked.id }
  await sendMessage(ports, callerOfRun(run), { ...commandOf(run, asked), kind: 'request', expiresAt, step })
  return { message: id }
}
