import type { Key, Platform } from '../../platform/platform.ts'
import type { Identity } from '../access/authenticate.ts'
import { hashSecret, newSecret } from '../access/secret.ts'

/** How long a ticket is good for. */
export const ticketSeconds = 30

const ticketKey = (ticket: string): Key => ({ pk: `platform#ticket#${hashSecret(ticket)}`, sk: 'head' })

/** A secret that stands for the caller once, where a header cannot be sent. Only its digest is kept. */
export const issueTicket = async (
  ports: Pick<Platform, 'volatile' | 'clock' | 'random'>,
  { tenant, principal }: Identity,
): Promise<string> => {
  const ticket = newSecret(ports)
  const value: Identity = { tenant, principal }
  const expiresAt = ports.clock.now() + ticketSeconds * 1000
  await ports.volatile.write({
    op: 'put',
    item: { ...ticketKey(ticket), type: 'ticket', value, expiresAt },
    expect: 'absent',
  })
  return ticket
}

/** Whom a ticket stands for; `undefined` for one that is unknown, over, or was used before. */
export const redeemTicket = async (
  { volatile }: Pick<Platform, 'volatile'>,
  ticket: string,
): Promise<Identity | undefined> => {
  const found = await volatile.get<Identity>(ticketKey(ticket))
  if (found === undefined) return undefined
  const outcome = await volatile.write({ op: 'delete', key: ticketKey(ticket), expect: { rev: found.rev } })
  return outcome.ok ? found.value : undefined
}
