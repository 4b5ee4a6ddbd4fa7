import type { LetterResponse, MessageResponse } from '#shared/contracts/messages.ts'
import { findAgent } from '#shared/domain/agents/agent-store.ts'
import type { Letter } from '#shared/domain/inboxes/letter.ts'
import { lettersOf } from '#shared/domain/inboxes/letter-store.ts'
import { loadData } from '#shared/domain/messages/deliverers.ts'
import type { Message } from '#shared/domain/messages/message.ts'
import { isObjectRef } from '#shared/domain/objects/object-ref.ts'
import type { Platform } from '#shared/platform/platform.ts'
import { iso } from '../../headers.ts'

/** The data as a message shows it: inline up to 32 KiB, else the object that holds it. */
const shownData = async (platform: Platform, message: Message): Promise<Pick<MessageResponse, 'data' | 'dataRef'>> => {
  if (message.data.in === 'object') return { dataRef: { $ref: message.data.id } }
  const data = await loadData(platform, message)
  return isObjectRef(data) ? { dataRef: data } : { data }
}

/** A message as everybody is answered it. */
export const toMessage = async (platform: Platform, message: Message): Promise<MessageResponse> => {
  const { id, envelope, to, state, response, spread } = message
  const { kind = 'event', time, expiresAt, run, id: _, ...attributes } = envelope
  return {
    id,
    kind,
    ...(to && { to }),
    ...attributes,
    ...(run !== undefined && { workflowRun: run }),
    time: iso(time),
    ...(expiresAt !== undefined && { expiresAt: iso(expiresAt) }),
    state,
    ...(await shownData(platform, message)),
    ...(response && { response: { id: response.id, time: iso(response.at), late: response.late } }),
    ...(spread && { recipients: spread.recipients }),
  }
}

/** The name of the queue, or of the agent whose mailbox it is. */
const nameOf = async (platform: Platform, { tenant, inbox, queue }: Letter): Promise<string> =>
  queue ?? (await findAgent(platform, tenant, inbox))?.value.name ?? inbox

const toLetter = async (platform: Platform, letter: Letter): Promise<LetterResponse> => {
  const { state, receives, reason, createdAt, settledAt } = letter
  return {
    inbox: await nameOf(platform, letter),
    state,
    receives,
    ...(reason && { reason }),
    deliveredAt: iso(createdAt),
    ...(settledAt !== undefined && { settledAt: iso(settledAt) }),
  }
}

/** A page of where a message is. */
export const toLetters = async (
  platform: Platform,
  message: Pick<Message, 'tenant' | 'id'>,
  page: { limit: number; cursor?: string },
): Promise<{ items: LetterResponse[]; nextCursor: string | null }> => {
  const found = await lettersOf(platform, { tenant: message.tenant, message: message.id, ...page })
  const items = await Promise.all(found.items.map(({ value }) => toLetter(platform, value)))
  return { items, nextCursor: found.cursor ?? null }
}
