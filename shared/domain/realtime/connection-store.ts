import type { Item, Key, Page, Platform } from '../../platform/platform.ts'
import { changeItem } from '../contention.ts'
import { DomainError } from '../domain-error.ts'
import { sortableTime } from '../keys.ts'
import type { Connection } from './connection.ts'
import { dropWatch } from './watch-store.ts'

type Ports = Pick<Platform, 'volatile' | 'clock' | 'random'>

/** The tenant of a frame is the one of its connection, which is looked up before. */
const connectionKey = (id: string): Key => ({ pk: `platform#connection#${id}`, sk: 'head' })
const connectionsPk = (tenant: string): string => `${tenant}#connections`

const presentPk = (tenant: string): string => `${tenant}#present`

const toItem = (connection: Connection): Item<Connection> => {
  const { id, tenant, openedAt, expiresAt, presence } = connection
  const sk = `${sortableTime(openedAt)}#${id}`
  return {
    ...connectionKey(id),
    type: 'connection',
    value: connection,
    index: {
      list: { pk: connectionsPk(tenant), sk },
      ...(presence && { parent: { pk: presentPk(tenant), sk } }),
    },
    expiresAt,
  }
}

export const saveConnection = async (
  { volatile }: Pick<Platform, 'volatile'>,
  connection: Connection,
): Promise<void> => {
  await volatile.write({ op: 'put', item: toItem(connection), expect: 'any' })
}

export const findConnection = async (
  { volatile }: Pick<Platform, 'volatile'>,
  id: string,
): Promise<Connection | undefined> => (await volatile.get<Connection>(connectionKey(id)))?.value

/** Changes a connection that is open; one that is not is `NOT_FOUND`. */
export const changeConnection = async (
  ports: Ports,
  id: string,
  change: (connection: Connection) => Connection,
): Promise<void> => {
  const place = { table: ports.volatile, key: connectionKey(id), what: 'the connection' }
  await changeItem<Connection>(ports, place, (connection) => {
    if (connection === undefined) throw new DomainError('NOT_FOUND', 'the connection is closed')
    const next = change(connection)
    return next === connection ? undefined : toItem(next)
  })
}

/** Nothing is kept of a connection that is gone. Answers what it was. */
export const forgetConnection = async (
  { volatile }: Pick<Platform, 'volatile'>,
  id: string,
): Promise<Connection | undefined> => {
  const connection = await findConnection({ volatile }, id)
  if (connection === undefined) return undefined
  await volatile.write({ op: 'delete', key: connectionKey(id), expect: 'any' })
  await Promise.all(connection.watches.map((watch) => dropWatch({ volatile }, connection, watch)))
  return connection
}

/** A page of the open connections of a tenant, newest first; one that broke off may be among them for two hours. */
export const listConnections = (
  { volatile }: Pick<Platform, 'volatile'>,
  tenant: string,
  page: { limit: number; cursor?: string },
): Promise<Page<Connection>> =>
  volatile.query<Connection>({ index: 'list', pk: connectionsPk(tenant), order: 'descending', ...page })

/** A page of those that say who they are, the oldest first; one that broke off may be among them for two hours. */
export const listPresent = (
  { volatile }: Pick<Platform, 'volatile'>,
  tenant: string,
  page: { limit: number; cursor?: string },
): Promise<Page<Connection>> => volatile.query<Connection>({ index: 'parent', pk: presentPk(tenant), ...page })

/** Forgets what an earlier life of a host that held all connections of a tenant has left behind. */
export const forgetConnections = async (ports: Pick<Platform, 'volatile'>, tenant: string): Promise<void> => {
  let cursor: string | undefined
  do {
    const page = await listConnections(ports, tenant, { limit: 200, cursor })
    await Promise.all(page.items.map(({ value }) => forgetConnection(ports, value.id)))
    cursor = page.cursor
  } while (cursor !== undefined)
}
