import type * as z from 'zod'
import type { Reply } from '#functions/api/operation.ts'
import { messageHandlers } from '#functions/api/routes/v2/messages.ts'
import type { sendMessageSchema } from '#shared/contracts/messages.ts'
import type { Identity } from '#shared/domain/access/authenticate.ts'
import { newRev } from '#shared/domain/ids.ts'
import type { Platform } from '#shared/platform/platform.ts'

/** Nothing is held open for a frame. */
const settings = { version: '', streamSeconds: 0, holdSeconds: 0 }

/** Sends a message as `POST /messages` does. */
export const sendMessage = async (
  platform: Platform,
  identity: Identity,
  body: z.output<typeof sendMessageSchema>,
  key: string | undefined,
): Promise<Reply> => {
  const headers = new Headers(key === undefined ? {} : { 'idempotency-key': key })
  const call = {
    caller: { ...identity, requestId: newRev(platform) },
    params: {},
    query: undefined,
    body,
    headers,
    signal: new AbortController().signal,
  }
  const reply = await messageHandlers.sendMessage({ platform, settings }, call)
  return reply instanceof Response ? { status: reply.status } : reply
}
