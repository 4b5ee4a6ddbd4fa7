import type { MailPage } from '#shared/contracts/mailboxes.ts'
import type { OperationOf } from '#shared/contracts/operations.ts'
import { type Inbox, type Letter, positionOf } from '#shared/domain/inboxes/letter.ts'
import { countLetters, listDeadLetters } from '#shared/domain/inboxes/letter-store.ts'
import { type Delivered, peekLetters, receiveLetters } from '#shared/domain/inboxes/receive-letters.ts'
import { acknowledgeMessages, acknowledgeUpTo } from '#shared/domain/messages/acknowledge-mailbox.ts'
import { toCloudEvent } from '#shared/domain/messages/envelope.ts'
import { handOverMail } from '#shared/domain/messages/hand-over-mail.ts'
import { mailboxOf, ownerOfMailbox } from '#shared/domain/messages/mailbox.ts'
import { redriveMail } from '#shared/domain/messages/redrive-mailbox.ts'
import { iso, preferWait } from '../../headers.ts'
import type { Call, Context, Handler } from '../../operation.ts'

const toMail = ({ letter, event }: Delivered): MailPage['items'][number] => ({
  position: positionOf(letter),
  receives: letter.receives,
  visibleAt: iso(letter.visibleAt),
  message: event,
})

/** The mailbox that the path names, if the caller may open it. */
const mailboxIn = async ({ platform }: Context, { caller, params }: Pick<Call, 'caller' | 'params'>): Promise<Inbox> =>
  mailboxOf(await ownerOfMailbox(platform, caller, params.agent ?? ''))

const get: Handler<OperationOf<'getMailbox'>> = async ({ platform }, { caller, params }) => {
  const agent = await ownerOfMailbox(platform, caller, params.agent ?? '')
  const inbox = mailboxOf(agent)
  return { status: 200, body: { agent: agent.name, ...(await countLetters(platform, inbox)), most: inbox.most } }
}

const receive: Handler<OperationOf<'receiveMail'>> = async (context, call) => {
  const { platform, settings } = context
  const { max, visibilitySeconds } = call.query
  const inbox = await mailboxIn(context, call)
  const waitMs = Math.min(preferWait(call.headers), settings.holdSeconds) * 1000
  const visibilityMs = visibilitySeconds * 1000
  const items =
    visibilitySeconds === 0
      ? await peekLetters(platform, inbox, max)
      : await receiveLetters(platform, inbox, { max, visibilityMs, waitMs, signal: call.signal })
  return { status: 200, body: { items: items.map(toMail) } }
}

const acknowledge: Handler<OperationOf<'acknowledgeMail'>> = async (context, call) => {
  const { ids, upTo = '' } = call.body
  const inbox = await mailboxIn(context, call)
  const done = ids ? acknowledgeMessages(context.platform, inbox, ids) : acknowledgeUpTo(context.platform, inbox, upTo)
  return { status: 200, body: { acknowledged: await done } }
}

const toDeadMail = (letter: Letter) => {
  const { receives, reason = { code: 'DEAD', message: '' }, createdAt, settledAt = createdAt } = letter
  const { data: _, ...message } = toCloudEvent(letter, null)
  return { receives, reason, message, deadSince: iso(settledAt) }
}

const deadLetters: Handler<OperationOf<'listDeadMail'>> = async (context, call) => {
  const page = await listDeadLetters(context.platform, await mailboxIn(context, call), call.query)
  return {
    status: 200,
    body: { items: page.items.map(({ value }) => toDeadMail(value)), nextCursor: page.cursor ?? null },
  }
}

const redrive: Handler<OperationOf<'redriveMail'>> = async ({ platform }, { caller, params, body }) => {
  const owner = await ownerOfMailbox(platform, caller, params.agent ?? '')
  const isGone = owner.decommissionedAt !== undefined
  const { ids } = body
  const redriven = isGone ? handOverMail(platform, owner, ids) : redriveMail(platform, mailboxOf(owner), ids)
  return { status: 202, body: { redriven: await redriven } }
}

export const mailboxHandlers = {
  getMailbox: get,
  receiveMail: receive,
  acknowledgeMail: acknowledge,
  listDeadMail: deadLetters,
  redriveMail: redrive,
}
