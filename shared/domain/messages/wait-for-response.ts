import type { Platform, Stored } from '../../platform/platform.ts'
import type { Message } from './message.ts'
import { findMessage, messageKey } from './message-store.ts'

type Ports = Pick<Platform, 'main' | 'clock'>

/** The response to a request as soon as there is one; `undefined` when the time, or the request's own, is over. */
export const waitForResponse = async (
  { main, clock }: Ports,
  { tenant, id, envelope }: Message,
  { seconds, signal }: { seconds: number; signal?: AbortSignal },
): Promise<Message | undefined> => {
  const until = Math.min(clock.now() + seconds * 1000, envelope.expiresAt ?? Number.POSITIVE_INFINITY)
  let current: Stored<Message> | undefined = await findMessage({ main }, tenant, id)
  while (current && !current.value.response && clock.now() < until && !signal?.aborted)
    current = await main.waitForChange<Message>(messageKey(tenant, id), current.rev, until - clock.now())
  const response = current?.value.response
  return response && (await findMessage({ main }, tenant, response.id))?.value
}
