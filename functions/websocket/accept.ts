import { authenticate, type Identity } from '#shared/domain/access/authenticate.ts'
import { DomainError } from '#shared/domain/domain-error.ts'
import { openConnection } from '#shared/domain/realtime/open-connection.ts'
import { redeemTicket } from '#shared/domain/realtime/ticket.ts'
import type { Platform } from '#shared/platform/platform.ts'

/** What a client shows when it opens a socket. */
export type Shown = { authorization?: string; ticket?: string }

/** Who opens a socket: by the ticket in its address, else as every other request does. */
export const identifySocket = async (platform: Platform, { authorization, ticket }: Shown): Promise<Identity> => {
  const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
  if (ticket !== undefined)
    return (await redeemTicket(platform, ticket)) ?? refused('the ticket is unknown, over, or was used')
  if (token === undefined)
    return refused('send Authorization: Bearer <API key>, or a ticket of POST /api/v2/ws/ticket as ?ticket=')
  return (await authenticate(platform, token)) ?? refused('the key or token is unknown or over')
}

const refused = (detail: string): never => {
  throw new DomainError('UNAUTHENTICATED', detail)
}

/** Takes a connection under the id that the host gave it. */
export const acceptConnection = async (platform: Platform, id: string, shown: Shown): Promise<void> => {
  await openConnection(platform, await identifySocket(platform, shown), id)
}
