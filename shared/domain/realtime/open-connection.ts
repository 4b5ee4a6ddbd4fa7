import type { Platform } from '../../platform/platform.ts'
import type { Identity } from '../access/authenticate.ts'
import { inForceUntil } from '../access/in-force.ts'
import { DomainError } from '../domain-error.ts'
import { type Connection, connectionSeconds } from './connection.ts'
import { forgetConnection, saveConnection } from './connection-store.ts'

/**
 * Remembers who opened a connection, for as long as they are known. It watches nothing yet. Whose key ended meanwhile is
 * refused: what ended before this look is seen by it, what ends later finds the connection stored.
 */
export const openConnection = async (
  ports: Pick<Platform, 'main' | 'volatile' | 'clock'>,
  { tenant, principal }: Identity,
  id: string,
): Promise<Connection> => {
  const openedAt = ports.clock.now()
  const expiresAt = openedAt + connectionSeconds * 1000
  const connection: Connection = { id, tenant, principal, openedAt, expiresAt, watches: [] }
  await saveConnection(ports, connection)
  const until = await inForceUntil(ports, { tenant, principal })
  if (until === undefined) {
    await forgetConnection(ports, id)
    throw new DomainError('UNAUTHENTICATED', 'the key or token is over')
  }
  if (until >= expiresAt) return connection
  const bounded = { ...connection, expiresAt: until }
  await saveConnection(ports, bounded)
  return bounded
}
