import type { Platform } from '../../platform/platform.ts'
import type { Identity } from '../access/authenticate.ts'
import { type Connection, connectionSeconds } from './connection.ts'
import { saveConnection } from './connection-store.ts'

/** Remembers who opened a connection. It watches nothing yet. */
export const openConnection = async (
  ports: Pick<Platform, 'volatile' | 'clock'>,
  { tenant, principal }: Identity,
  id: string,
): Promise<Connection> => {
  const openedAt = ports.clock.now()
  const expiresAt = openedAt + connectionSeconds * 1000
  const connection: Connection = { id, tenant, principal, openedAt, expiresAt, watches: [] }
  await saveConnection(ports, connection)
  return connection
}
