import type { OperationOf } from '#shared/contracts/operations.ts'
import { type Recipient, sendMessage } from '#shared/domain/messages/send-message.ts'
import { idempotencyKey, iso, traceparent } from '../../headers.ts'
import type { Handler } from '../../operation.ts'

const send: Handler<OperationOf<'sendMessage'>> = async ({ platform }, { caller, body, headers }) => {
  const { to, expiresAt, hops = [], data = null, ...rest } = body
  const { envelope } = await sendMessage(platform, caller, {
    ...rest,
    to: to as Recipient,
    data,
    passed: hops,
    ...(expiresAt !== undefined && { endsAt: Date.parse(expiresAt) }),
    idempotencyKey: idempotencyKey(headers),
    traceparent: traceparent(headers),
  })
  const { id, source, type, subject, time } = envelope
  return { status: 202, body: { id, to, type, source, subject, time: iso(time) } }
}

export const messageHandlers = { sendMessage: send }
