import type { OperationOf } from '#shared/contracts/operations.ts'
import { listPresent } from '#shared/domain/realtime/connection-store.ts'
import { presenceFrame } from '#shared/domain/realtime/presence.ts'
import { issueTicket, ticketSeconds } from '#shared/domain/realtime/ticket.ts'
import type { Handler } from '../../operation.ts'

const createTicket: Handler<OperationOf<'createSocketTicket'>> = async ({ platform }, { caller, headers }) => {
  const ticket = await issueTicket(platform, caller)
  const url = `${platform.realtime.url(headers.get('host') ?? undefined)}?ticket=${ticket}`
  return { status: 201, body: { ticket, expiresIn: ticketSeconds, url }, headers: { 'cache-control': 'no-store' } }
}

const present: Handler<OperationOf<'listPresence'>> = async ({ platform }, { caller, query }) => {
  const page = await listPresent(platform, caller.tenant, query)
  const items = page.items.flatMap(({ value }) => presenceFrame(value) ?? [])
  return { status: 200, body: { items: items.map(({ type: _, ...one }) => one), nextCursor: page.cursor ?? null } }
}

export const realtimeHandlers = { createSocketTicket: createTicket, listPresence: present }
