import type { Platform } from '../../platform/platform.ts'
import type { Caller } from '../caller.ts'
import { agentOfCaller } from '../messages/mailbox.ts'
import { sourceOf } from '../messages/send-message.ts'
import type { Connection } from './connection.ts'
import { changeConnection, listPresent } from './connection-store.ts'
import type { PresenceFrame, ServerFrame } from './frame.ts'
import { mostMissed } from './missed.ts'
import { presenceFrame, presenceTopic } from './presence.ts'
import { type TellPorts, tellPresence } from './tell.ts'

/** A connection says of itself what it does, or with `null` nothing more. Others are told, and it is listed until it is closed. */
export const announce = async (
  ports: TellPorts,
  connection: Connection,
  status: string | null,
): Promise<PresenceFrame> => {
  const { id, tenant, principal } = connection
  const caller: Caller = { tenant, principal, requestId: id }
  const who = connection.presence?.who ?? sourceOf(caller, (await agentOfCaller(ports, caller))?.name)
  const presence = { who, status: status ?? '', since: ports.clock.now() }
  await changeConnection(ports, id, (current) => ({ ...current, presence: status === null ? undefined : presence }))
  const present = { ...connection, presence }
  await tellPresence(ports, present, status === null)
  return presenceFrame(present, status === null) as PresenceFrame
}

/** Who is there, for whoever begins to watch; of too many, that they have to be listed. */
export const presentNow = async (ports: Pick<Platform, 'volatile'>, tenant: string): Promise<ServerFrame[]> => {
  const page = await listPresent(ports, tenant, { limit: mostMissed })
  if (page.cursor !== undefined) return [{ type: 'resync', topic: presenceTopic }]
  return page.items.flatMap(({ value }) => presenceFrame(value) ?? [])
}
