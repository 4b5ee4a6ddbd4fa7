import type { OperationOf } from '#shared/contracts/operations.ts'
import { issueTicket, ticketSeconds } from '#shared/domain/realtime/ticket.ts'
import type { Handler } from '../../operation.ts'

const createTicket: Handler<OperationOf<'createSocketTicket'>> = async ({ platform }, { caller, headers }) => {
  const ticket = await issueTicket(platform, caller)
  const url = `${platform.realtime.url(headers.get('host') ?? undefined)}?ticket=${ticket}`
  return { status: 201, body: { ticket, expiresIn: ticketSeconds, url }, headers: { 'cache-control': 'no-store' } }
}

export const realtimeHandlers = { createSocketTicket: createTicket }
