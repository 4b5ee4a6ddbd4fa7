import type { Platform } from '../../platform/platform.ts'
import { DomainError } from '../domain-error.ts'
import { type Connection, isWatch, mostWatches, type Watch } from './connection.ts'
import { changeConnection } from './connection-store.ts'
import { addWatch, dropWatch } from './watch-store.ts'

export type WatchPorts = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random'>

/** Refuses what a connection cannot watch besides what it does. */
export const requireRoomToWatch = ({ watches }: Pick<Connection, 'watches'>): void => {
  if (watches.length < mostWatches) return
  const what = `${mostWatches} topics, entities and open requests`
  throw new DomainError('CONFLICT', `a connection watches ${what} at most; open another`)
}

const keep =
  (watch: Watch) =>
  (connection: Connection): Connection => {
    if (connection.watches.some(isWatch(watch))) return connection
    requireRoomToWatch(connection)
    return { ...connection, watches: [...connection.watches, watch] }
  }

/** What is stored after this is told. */
export const startWatch = async (ports: WatchPorts, connection: Connection, watch: Watch): Promise<void> => {
  await changeConnection(ports, connection.id, keep(watch))
  await addWatch(ports, connection, watch)
}

/** Tells no more of it. What it did not watch it does not watch. */
export const endWatch = async (
  ports: Omit<WatchPorts, 'main'>,
  connection: Pick<Connection, 'tenant' | 'id'>,
  watch: Watch,
): Promise<void> => {
  const is = isWatch(watch)
  await dropWatch(ports, connection, watch)
  await changeConnection(ports, connection.id, (current) =>
    current.watches.some(is) ? { ...current, watches: current.watches.filter((one) => !is(one)) } : current,
  )
}
