import { type Operation, type OperationOf, operations } from '#shared/contracts/operations.ts'
import type { Caller } from '#shared/domain/caller.ts'
import { DomainError } from '#shared/domain/domain-error.ts'
import { findLetter } from '#shared/domain/inboxes/letter-store.ts'
import { letterIdOf } from '#shared/domain/inboxes/new-letter.ts'
import { listMessagesBy } from '#shared/domain/messages/list-messages.ts'
import { agentOfCaller, mailboxOf } from '#shared/domain/messages/mailbox.ts'
import type { Message, Recipient } from '#shared/domain/messages/message.ts'
import { getMessage } from '#shared/domain/messages/message-store.ts'
import { respond } from '#shared/domain/messages/respond.ts'
import { sendMessage } from '#shared/domain/messages/send-message.ts'
import { waitForResponse } from '#shared/domain/messages/wait-for-response.ts'
import { submitTask } from '#shared/domain/tasks/submit-task.ts'
import { isOver } from '#shared/domain/workflows/run.ts'
import { getRun } from '#shared/domain/workflows/run-store.ts'
import { type Holding, requireHolder } from '#shared/domain/workflows/run-value.ts'
import type { Platform } from '#shared/platform/platform.ts'
import { authorize } from '../../authorize.ts'
import { checkInput } from '../../check-input.ts'
import { idempotencyKey, preferWait, traceparent } from '../../headers.ts'
import type { Call, Handler, Reply } from '../../operation.ts'
import { withSubmitRate } from '../../rate-limit.ts'
import { toLetters, toMessage } from './message-response.ts'
import { toTask } from './task-response.ts'

type SendCall = Call<OperationOf<'sendMessage'>>
type Send = Handler<OperationOf<'sendMessage'>>

const accepted = async (platform: Platform, message: Message, headers = {}): Promise<Reply> => ({
  status: 202,
  body: await toMessage(platform, message),
  headers: { location: `/api/v2/messages/${message.id}`, ...headers },
})

/** A message of a run is sent while that goes on, by whoever works for it. */
const requireOfRun = async (platform: Platform, caller: Caller, id: string, holding: Holding): Promise<void> => {
  const { value: run } = await getRun(platform, caller.tenant, id)
  await requireHolder(platform, caller, run, holding)
  if (isOver(run)) throw new DomainError('ALREADY_FINISHED', `run ${id} is ${run.state}; nobody works for it any more`)
}

const sendOn: Send = async ({ platform, settings }, { caller, body, headers, signal }) => {
  const { kind, to, type = '', data = null, hops = [], expiresAt, workflowRun: run, task, fence, ...rest } = body
  if (run !== undefined) await requireOfRun(platform, caller, run, { task, fence })
  const message = await sendMessage(platform, caller, {
    ...rest,
    kind: kind as 'event',
    to: to as Recipient,
    type,
    data,
    ...(run !== undefined && { run }),
    passed: hops,
    ...(expiresAt !== undefined && { expiresAt: Date.parse(expiresAt) }),
    idempotencyKey: idempotencyKey(headers),
    traceparent: traceparent(headers),
  })
  const seconds = kind === 'request' ? Math.min(preferWait(headers), settings.holdSeconds) : 0
  if (seconds === 0) return accepted(platform, message)
  const applied = { 'preference-applied': `wait=${seconds}` }
  const response = await waitForResponse(platform, message, { seconds, signal })
  if (response) return { status: 200, body: await toMessage(platform, response), headers: applied }
  return accepted(platform, message, applied)
}

const respondTo: Send = async ({ platform }, { caller, body, headers }) => {
  const { type, data = null, correlationId = '' } = body
  return accepted(
    platform,
    await respond(platform, caller, correlationId, { type, data, traceparent: traceparent(headers) }),
  )
}

/** A command is a task for an agent: the task is the record. */
const submit: Send = async ({ platform }, { caller, body, headers }) => {
  const { to = {}, data } = body
  const { agent, capability } = to as { agent?: string; capability?: string }
  if (agent === undefined && capability === undefined)
    throw new DomainError('INVALID', 'a command goes to agent, capability', [
      { pointer: '#/to', code: 'RECIPIENT', message: 'a command goes to agent, capability' },
    ])
  const own = { idempotencyKey: idempotencyKey(headers), traceparent: traceparent(headers) }
  const task = await submitTask(platform, caller, { agent, capability, input: data, labels: {}, ...own }, checkInput)
  return { status: 202, body: await toTask(platform, task), headers: { location: `/api/v2/tasks/${task.id}` } }
}

/** A kind that does what another operation does is for those whom that is for, and counted like that. */
const kinds: Record<SendCall['body']['kind'], { send: Send; as?: Operation }> = {
  event: { send: sendOn },
  request: { send: sendOn },
  broadcast: { send: sendOn },
  workflow: { send: sendOn },
  response: { send: respondTo, as: operations.replyToMessage },
  command: { send: withSubmitRate<OperationOf<'sendMessage'>>(submit), as: operations.submitTask },
}

const send: Handler<OperationOf<'sendMessage'>> = (context, call) => {
  const { send: sendAs, as } = kinds[call.body.kind]
  if (as) authorize(call.caller, as, {})
  return sendAs(context, call)
}

/** An instance sees what its agent sent or was sent; others are not there. */
const requireOwn = async (platform: Platform, caller: Caller, message: Message): Promise<void> => {
  const own = await agentOfCaller(platform, caller)
  if (own === undefined || message.from === own.id) return
  const ids = [message.id, message.envelope.correlationId ?? message.id].map((id) => letterIdOf(mailboxOf(own), id))
  const letters = await Promise.all(ids.map((id) => findLetter(platform, caller.tenant, id)))
  const request = await answeredBy(platform, message)
  if (letters.every((letter) => letter === undefined) && request?.from !== own.id)
    throw new DomainError('NOT_FOUND', `there is no message ${message.id}`)
}

const answeredBy = async (platform: Platform, { tenant, envelope }: Message): Promise<Message | undefined> =>
  envelope.kind === 'response' && envelope.correlationId !== undefined
    ? (await getMessage(platform, tenant, envelope.correlationId)).value
    : undefined

const shownLetters = 100

const get: Handler<OperationOf<'getMessage'>> = async ({ platform, settings }, { caller, params, headers, signal }) => {
  const { value: message } = await getMessage(platform, caller.tenant, params.message ?? '')
  await requireOwn(platform, caller, message)
  const seconds = message.envelope.kind === 'request' ? Math.min(preferWait(headers), settings.holdSeconds) : 0
  if (seconds > 0) await waitForResponse(platform, message, { seconds, signal })
  const { value: last } = await getMessage(platform, caller.tenant, message.id)
  const { items: letters } = await toLetters(platform, last, { limit: shownLetters })
  return {
    status: 200,
    body: { ...(await toMessage(platform, last)), letters },
    headers: { ...(seconds > 0 && { 'preference-applied': `wait=${seconds}` }) },
  }
}

const letters: Handler<OperationOf<'listLetters'>> = async ({ platform }, { caller, params, query }) => {
  const { value: message } = await getMessage(platform, caller.tenant, params.message ?? '')
  return { status: 200, body: await toLetters(platform, message, query) }
}

const list: Handler<OperationOf<'listMessages'>> = async ({ platform }, { caller, query }) => {
  const { limit, cursor, ...filter } = query
  const page = await listMessagesBy(platform, caller.tenant, { filter, limit, cursor })
  const items = await Promise.all(page.items.map((message) => toMessage(platform, message)))
  return { status: 200, body: { items, nextCursor: page.cursor ?? null } }
}

const reply: Handler<OperationOf<'replyToMessage'>> = async ({ platform }, { caller, params, body, headers }) => {
  const { type, data = null } = body
  const command = { type, data, traceparent: traceparent(headers) }
  return accepted(platform, await respond(platform, caller, params.message ?? '', command))
}

export const messageHandlers = {
  sendMessage: send,
  listMessages: list,
  getMessage: get,
  listLetters: letters,
  replyToMessage: reply,
}
