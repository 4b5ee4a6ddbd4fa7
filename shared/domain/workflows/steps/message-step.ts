import { stamp } from '../../caller.ts'
import { idFromKey } from '../../ids.ts'
import type { Recipient } from '../../messages/message.ts'
import { findMessage } from '../../messages/message-store.ts'
import { putOnTopic } from '../../messages/put-on-topic.ts'
import { type SendCommand, sendMessage } from '../../messages/send-message.ts'
import { callerOfRun, type Run } from '../run.ts'
import type { Asked, Begun, StepPorts } from './step-command.ts'
import type { StepTools } from './task-step.ts'

/** What a step sends. */
export type StepMessage = { to: Recipient; type: string; body?: unknown; conversation?: string }

/** The fields of a step that its message has; on a topic it may be known by that alone. */
const fieldsOf = ({ step: { topic, to, type = topic, body, conversation } }: Asked): Record<string, unknown> => ({
  to: topic === undefined ? to : { topic },
  type,
  ...(body !== undefined && { body }),
  ...(conversation !== undefined && { conversation }),
})

const sourceOf = ({ workflow }: Run): string => `devcycle.workflow.${workflow}`
const keyOf = (run: Run, { id }: Asked): string => `${run.id} ${id}`

/** Puts a message of the run on a topic, or sends it to whom it is for; the same step again is the same message. */
export const beginMessage = async (
  ports: StepPorts,
  run: Run,
  asked: Asked,
  { readMessage }: StepTools,
): Promise<Begun> => {
  const message = readMessage(fieldsOf(asked))
  return 'topic' in message.to ? tellTopic(ports, run, asked, message) : sendOne(ports, run, asked, message)
}

const tellTopic = async (
  ports: StepPorts,
  run: Run,
  { id }: Asked,
  { to, type, body = null, conversation }: StepMessage,
): Promise<Begun> => {
  const { topic } = to as { topic: string }
  const envelope = {
    id: idFromKey('msg', run.tenant, `step\n${run.id}\n${id}`),
    kind: 'workflow' as const,
    source: sourceOf(run),
    type,
    subject: run.id,
    time: run.startedAt,
    run: run.id,
    ...(conversation !== undefined && { conversation }),
  }
  const message = { topic, envelope, data: body, passed: run.hops }
  await putOnTopic(ports, run.tenant, message, stamp(callerOfRun(run), 'run.message'))
  return { output: { id: envelope.id } }
}

const commandOf = (
  run: Run,
  asked: Asked,
  { to, type, body = null, conversation }: StepMessage,
): Omit<SendCommand, 'kind'> => ({
  to,
  type,
  data: body,
  source: sourceOf(run),
  subject: run.id,
  run: run.id,
  passed: run.hops ?? [],
  idempotencyKey: keyOf(run, asked),
  ...(conversation !== undefined && { conversation }),
})

const sendOne = async (ports: StepPorts, run: Run, asked: Asked, message: StepMessage): Promise<Begun> => {
  const { id } = await sendMessage(ports, callerOfRun(run), { ...commandOf(run, asked, message), kind: 'workflow' })
  return { output: { id } }
}

/** Asks an agent; its response, or its silence, ends the step. The same step again is the same request. */
export const beginRequest = async (
  ports: StepPorts,
  run: Run,
  asked: Asked,
  { readMessage }: StepTools,
): Promise<Begun> => {
  const id = idFromKey('msg', run.tenant, keyOf(run, asked))
  if (await findMessage(ports, run.tenant, id)) return { message: id }
  const expiresAt = ports.clock.now() + Number(asked.step.timeoutSeconds) * 1000
  const step = { run: run.id, id: asked.id }
  await sendMessage(ports, callerOfRun(run), {
    ...commandOf(run, asked, readMessage(fieldsOf(asked))),
    kind: 'request',
    expiresAt,
    step,
  })
  return { message: id }
}
