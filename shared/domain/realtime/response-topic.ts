import type { Change, Platform } from '../../platform/platform.ts'
import type { Message } from '../messages/message.ts'
import { findMessage, messagePk } from '../messages/message-store.ts'
import type { Connection, Watch } from './connection.ts'
import type { ServerFrame } from './frame.ts'
import { showMessage } from './show-message.ts'
import type { Telling } from './tell.ts'
import { endWatch, startWatch, type WatchPorts } from './watch.ts'

/** Where a connection waits for the response to a request, by the request's id; what it is told there ends the wait. */
export const responseTopic = 'responses'

const responseFrame = async (
  ports: Pick<Platform, 'main' | 'objects'>,
  response: Message,
  request: string,
): Promise<ServerFrame> => ({
  type: 'response',
  request,
  ...(await showMessage(ports, response, messagePk(response.tenant, response.id))),
})

/** What the change of a message says to whoever waits for a response. */
export const endOfRequest = ({ before, after }: Change): { tenant: string; id: string; frame: Telling } | undefined => {
  const message = after?.value as Message | undefined
  if (message === undefined) return undefined
  const { tenant, id, envelope, response, dueAt } = message
  const { kind, correlationId } = envelope
  if (kind === 'response' && correlationId !== undefined && before === undefined)
    return { tenant, id: correlationId, frame: (ports) => responseFrame(ports, message, correlationId) }
  const isOver = (before?.value as Message | undefined)?.dueAt !== undefined && dueAt === undefined
  if (kind !== 'request' || response !== undefined || !isOver) return undefined
  return { tenant, id, frame: { type: 'unanswered', request: id } }
}

type Ports = WatchPorts & Pick<Platform, 'objects'>
type Wish = { request: string; ref?: string }

/** What a request has come to already. */
const outcomeOf = async (ports: Ports, tenant: string, request: string): Promise<ServerFrame | undefined> => {
  const message = (await findMessage(ports, tenant, request))?.value
  const response = message?.response && (await findMessage(ports, tenant, message.response.id))?.value
  if (response) return responseFrame(ports, response, request)
  const isOver = message !== undefined && message.dueAt === undefined
  return isOver ? { type: 'unanswered', request } : undefined
}

/** Tells a connection the response to a request: now, where there is one, else when it comes. */
export const awaitResponse = async (
  ports: Ports,
  connection: Connection,
  { request, ref }: Wish,
): Promise<ServerFrame[]> => {
  const watch: Watch = { topic: responseTopic, id: request, ...(ref !== undefined && { ref }) }
  await startWatch(ports, connection, watch)
  const outcome = await outcomeOf(ports, connection.tenant, request)
  if (outcome === undefined) return []
  await endWatch(ports, connection, watch)
  return [{ ...outcome, ...(ref !== undefined && { ref }) }]
}
